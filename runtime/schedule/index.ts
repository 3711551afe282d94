/**
 * Approximate Model Scheduling: which variant, and where, for every request, so that accuracy is highest while energy, money,
 * data and memory last the day. Nothing here needs Node: it runs in a page too. README.md beside this file tells the method.
 */

export {type Bounds, boundsOf, type TrueEnergies} from './bounds.js';
export type {CloudCost, DeviceCost, SplitCost} from './catalog.js';
export {
  type Catalog,
  type CatalogSegment,
  type CatalogTask,
  type CatalogVariant,
  catalogSchema,
  type RequestKind,
} from './catalog.js';
export {beginDay, type Day} from './day.js';
export type {Decision, Took} from './decision.js';
export {catalogFromManifest} from './from-manifest.js';
export type {Percentiles} from './latencies.js';
export {type McdnnRule, mcdnnPolicy} from './mcdnn.js';
export {policies} from './policies.js';
export {
  type Explanation,
  type Future,
  type Policy,
  type PolicyName,
  policyNames,
  type Scheduler,
  type Setting,
} from './policy.js';
export {type Kind, type Option, type Place, type Problem, problemOf, type Segment} from './problem.js';
export {type Profile, type ProfileRequest, type ProfileTask, readProfile} from './profile.js';
export {readCatalog} from './read-catalog.js';
export type {Amounts, Limits, State} from './state.js';
