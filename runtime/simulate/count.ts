/** How many requests a trace holds, with and without a connection: what offline bounds and the oracle know. */
import type {Future} from '../schedule/policy.js';
import type {Problem} from '../schedule/problem.js';
import type {Trace} from './trace.js';

export function futureOf({kinds}: Problem, trace: Trace): Future {
  const connected = new Float64Array(kinds.length);
  const alone = new Float64Array(kinds.length);
  let isUp = true;
  for (const {kind, up} of trace)
    if (kind < 0) isUp = up;
    else (isUp ? connected : alone)[kind]! += 1;
  return {connected, alone};
}
