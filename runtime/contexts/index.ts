/** Priors from what requests ask for lately. */
export {type AdaptiveOptions, adaptive} from './adaptive.js';
export {type Contexts, contextsOf, type Follower, type Observed, type Rule, type Usual} from './contexts.js';
export {decayed} from './decayed.js';
export {type DetectedOptions, detected} from './detected.js';
export {type Few, fewOf} from './few.js';
export type {LatelyOptions} from './lately.js';
export {type ContextSession, withContexts} from './session.js';
export {type WegOptions, weg} from './weg.js';
export {slidingWindow, type WindowOptions} from './window.js';
