import {mcdnnPolicy, policies} from 'dnnc/schedule';
import {caseOf, type Family, families, runCase, thinned} from './grid.js';

const args = new Map(process.argv.slice(2).map(a => a.split('=') as [string, string]));
const seeds = Number(args.get('seeds') ?? 1),
  stride = Number(args.get('stride') ?? 2),
  planned = Number(args.get('planned') ?? 1),
  wrong = Number(args.get('wrong') ?? 1),
  which = args.get('which') ?? '';
const names = (args.get('policies') ?? 'dnnc').split(',') as ('dnnc' | 'oracle')[];
const fams = (args.get('families')?.split(',') ?? families) as Family[];
const withMcdnn = args.has('mcdnn');
for (const family of fams) {
  const stats = new Map(
    names.map(n => [
      n,
      {
        ch: [] as number[],
        lp: [] as number[],
        below: [] as number[],
        over: 0,
        time: 0,
        req: 0,
        worst: [] as [number, string][],
        paged: 0,
      },
    ]),
  );
  thinned.forEach((point, i) => {
    if (i % stride !== (i >> 3) % stride) return;
    const per = new Map<string, number[]>();
    for (let seed = 1; seed <= seeds; seed++) {
      const one = caseOf(point, family, 1000 + seed, {
        planned,
        dayDoubt: Number(args.get('doubt') ?? 1),
        ...(wrong !== 1 && {wrong: (v: string) => (v.endsWith(which) ? wrong : 1)}),
      });
      const best: number[] = [];
      if (withMcdnn)
        for (const [reserve, paced] of [
          [false, false],
          [true, false],
          [false, true],
          [true, true],
        ] as const)
          best.push(runCase(one, mcdnnPolicy('mcdnn', {places: 'both', reserve, paced})).accuracy);
      for (const name of names) {
        const s = stats.get(name)!;
        const t = performance.now();
        const r = runCase(one, policies[name]);
        s.time += performance.now() - t;
        s.req += r.requests;
        s.paged += r.paged;
        if (r.overspent) s.over++;
        s.ch.push(r.accuracy / one.charged);
        s.lp.push(r.accuracy / one.linear);
        if (withMcdnn) s.below.push(Math.max(...best) - r.accuracy);
        per.set(name, [...(per.get(name) ?? []), r.accuracy / one.charged]);
      }
    }
    for (const name of names) {
      const v = per.get(name)!;
      stats.get(name)!.worst.push([v.reduce((a, b) => a + b, 0) / v.length, JSON.stringify(point)]);
    }
  });
  for (const [name, s] of stats) {
    const mean = (v: number[]) => (100 * v.reduce((a, b) => a + b, 0)) / v.length;
    s.worst.sort((a, b) => a[0] - b[0]);
    console.log(
      family,
      name,
      'charged',
      mean(s.ch).toFixed(2),
      'lp',
      mean(s.lp).toFixed(2),
      'worst',
      (100 * s.worst[0]![0]).toFixed(1),
      'over',
      s.over,
      'below',
      s.below.length ? Math.max(...s.below).toFixed(2) : '-',
      'pages',
      (s.paged / s.ch.length).toFixed(1),
      'us/req',
      ((1000 * s.time) / s.req).toFixed(1),
    );
    for (const [v, p] of s.worst.slice(0, Number(args.get('show') ?? 4))) console.log('    ', (100 * v).toFixed(1), p);
  }
}
