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
export {decisionLine, headerLine} from './record.js';
export {type Decision, type Run, type Summary, simulate, type Truth} from './simulate.js';
export {type Slice, type Timeline, timeline} from './timeline.js';
export {type Trace, type TraceEvent, traceLine, traceReader} from './trace.js';
