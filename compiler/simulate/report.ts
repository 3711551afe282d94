import type {PolicyName, Problem, Setting} from '../../runtime/schedule/index.js';
import type {Trace} from '../../runtime/simulate/index.js';
export const reportOf = (_p: Problem, _s: Setting, _t: Trace, _n: readonly PolicyName[], _b: unknown): string => '';
