import {policies} from 'dnnc/schedule';
import {simulate} from 'dnnc/simulate';
import {caseOf, type Family} from './grid.js';

const point = JSON.parse(process.argv[2]!);
const fam = process.argv[3] as Family;
const pol = process.argv[4] as 'dnnc';
const one = caseOf(point, fam, Number(process.argv[5] ?? 1001));
let next = 0;
const cnt: Record<string, number> = {};
const r = simulate({
  ...one,
  policy: policies[pol],
  watch: (d, explain) => {
    const k = one.problem.kinds[d.kind]!;
    const o = k.options[d.option];
    const key = `${k.name}:${d.state.connected ? 'up' : 'dn'}:${o ? o.variant + '@' + o.place : '-'}`;
    cnt[key] = (cnt[key] ?? 0) + 1;
    if (process.argv[6] && key === process.argv[6] && cnt[key]! % 60 === 1) {
      const e = explain();
      console.log('!!', Math.round(d.time), JSON.stringify(d.state.left), JSON.stringify(e));
    }
    if (d.time >= next) {
      next += 3600;
      const e = explain() as {prices: unknown; planned: string[]; forecast: unknown};
      console.log(
        Math.round(d.time),
        d.state.connected,
        JSON.stringify(d.state.left),
        JSON.stringify(e.prices),
        e.planned.join(' '),
        JSON.stringify(e.forecast),
      );
    }
  },
});
console.log(r.accuracy / one.charged, JSON.stringify(r));
console.log(cnt);
