/** Days on paper: traces, a simulator for every policy, and what the best possible would have been. Nothing here needs Node. */
export {type Checker, feasibilityChecker} from './check.js';
export {futureOf} from './count.js';
export {
  type Arrivals,
  alternating,
  bursts,
  type Day,
  generate,
  type Outages,
  profile,
  type Shape,
  type Skew,
  steady,
  step,
} from './generate.js';
export {type Random, random} from './random.js';
export {decisionLine, headerLine, linkLine} from './record.js';
export {type RecordHeader, type RecordSource, readHeader, recordTrace, replay} from './replay.js';
export {type Run, simulate, type Truth} from './simulate.js';
export type {Summary} from './tally.js';
export {type Slice, type Timeline, timeline} from './timeline.js';
export {type Trace, type TraceEvent, traceLine, traceReader} from './trace.js';
