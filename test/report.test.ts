/** `dnnc report`: what stands in the page, and that nothing of a build can become markup. Looked at in test/report-browser.test.ts. */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import test from 'ava';
import {along, axisAround} from '../compiler/page/axis.js';
import {html} from '../compiler/page/html.js';
import {frontOf} from '../compiler/report/front.js';
import {reportOf} from '../compiler/report/index.js';
import type {Facts} from '../compiler/report/read.js';
import {kindOf, recipeWords} from '../compiler/report/words.js';
import type {Module} from '../ir/types.js';
import {example} from './example-manifest.js';
import {type Element, elementsOf} from './support/html.js';
import {factsOf} from './support/report-facts.js';

const small = factsOf({variants: 7, dropped: 4, layers: 6, nodes: 3});
const smallPage = elementsOf(await reportOf(small));

const classOf = ({attributes}: Element): string => attributes.get('class') ?? '';
const named = (elements: readonly Element[], name: string): readonly Element[] => elements.filter(each => each.name === name);
const insideOf = (element: Element, name: string, className: string): boolean =>
  element.inside.some(each => each.name === name && classOf(each).split(' ').includes(className));

test('a page has what it refers to, ids once, and nothing from elsewhere', t => {
  const ids = smallPage.flatMap(({attributes}) => (attributes.has('id') ? [attributes.get('id')!] : []));
  t.is(new Set(ids).size, ids.length);
  for (const {attributes} of smallPage) {
    const href = attributes.get('href');
    if (href !== undefined) t.true(href.startsWith('#') && ids.includes(href.slice(1)), href);
    const row = attributes.get('data-row');
    if (row !== undefined) t.true(ids.includes(row), row);
    for (const name of ['src', 'style', 'onclick']) t.false(attributes.has(name), name);
  }
  const [policy] = smallPage.filter(({attributes}) => attributes.get('http-equiv') === 'Content-Security-Policy');
  const allowed = policy?.attributes.get('content') ?? '';
  t.true(allowed.startsWith("default-src 'none'; "));
  for (const name of ['style', 'script']) {
    const parts = named(smallPage, name);
    t.is(parts.length, 1);
    const hash = createHash('sha256').update(parts[0]!.text).digest('base64');
    t.true(allowed.includes(`${name}-src 'sha256-${hash}'`), name);
  }
});

test('every variant has a row and a point in each plot; what was dropped is told apart by its shape', t => {
  const rows = smallPage.filter(({name, attributes}) => name === 'tr' && attributes.has('id'));
  t.is(rows.length, 7 + 4);
  const points = smallPage.filter(({attributes}) => attributes.has('data-row'));
  const plots = smallPage.filter(element => element.name === 'svg' && element.inside.some(({name}) => name === 'figure'));
  t.deepEqual(
    named(smallPage, 'figcaption').map(({text}) => text),
    [
      'median time of a call on generic (by powers)',
      'weights to load',
      'scratch memory (by powers)',
      'energy of a call, modelled on generic, phone',
    ].map(text => `Accuracy against ${text}`),
  );
  t.is(plots.length, 4);
  t.is(points.length, 3 * (7 + 4) + 7, 'what was dropped has no energy');
  const shapes = smallPage.filter(element => element.name === 'use' && element.inside.some(({name}) => name === 'figure'));
  const dropped = shapes.filter(element => classOf(element) === 'dropped');
  t.is(dropped.length, 3 * 4);
  t.true(dropped.every(({attributes}) => attributes.get('href') === '#is-dropped'));
  t.is(shapes.filter(element => classOf(element) === 'full').length, 4);
  const full = rows.find(({text}) => text.startsWith('full'))!;
  for (const text of ['95.00%', '93.7 to 96.1', '940 µs', '500 kB', '2.0 kB', '1.88 mJ', 'the network as it is', 'on the front'])
    t.true(full.text.includes(text), text);
  const best = smallPage.find(element => classOf(element) === 'praise');
  t.regex(best?.text ?? '', /^Cheapest within 1 point of full: .* takes .*× less time/);
});

test('layers, memory, shared trunk, graph, what was tried: all of it is there', t => {
  const layers = smallPage.filter(element => element.name === 'tr' && insideOf(element, 'details', 'layers'));
  t.is(layers.length, 6 * (6 + 1));
  t.true(layers.some(({text}) => text.includes('stays: too few weights')));
  t.true(layers.some(({text}) => text.includes('10.1 k → 4.0 k') && text.includes('spatial 16')));
  const memory = smallPage.filter(element => element.name === 'title' && insideOf(element, 'details', 'memory'));
  t.true(
    memory.some(({text}) => /^%h0\.0: 2\.0 kB at \d+, steps 0 to 1$/.test(text)),
    memory[0]?.text ?? 'none',
  );
  t.false(smallPage.some(({text}) => text.startsWith('Kernels were chosen otherwise')));
  const blocks = smallPage.filter(element => element.name === 'title' && insideOf(element, 'svg', 'trunk'));
  t.is(blocks.length, 1 + 7);
  t.regex(blocks[0]!.text, /^trunk: 500\.0 k MACs, 100 kB of weights; for sign\/full, .*; gives cut0, f32\[1,512\], 2\.0 kB$/);
  t.true(smallPage.some(element => element.name === 'svg' && insideOf(element, 'details', 'graph')));
  const tried = smallPage.filter(element => element.name === 'tr' && insideOf(element, 'details', 'filtered'));
  t.is(tried.length, 11 + 1);
  t.is(tried.filter(({text}) => text.includes('dropped') && text.includes('loses')).length, 4);
});

test('the same build gives the same bytes', async t => {
  t.is(await reportOf(small), await reportOf(factsOf({variants: 7, dropped: 4, layers: 6, nodes: 3})));
});

test('200 variants and 100 that were dropped stay below 3 MB; what was left out is said', async t => {
  const page = await reportOf(factsOf({variants: 200, dropped: 100, layers: 60, nodes: 6}));
  t.true(Buffer.byteLength(page) < 3e6, `${Buffer.byteLength(page)}`);
  const elements = elementsOf(page);
  t.is(elements.filter(({name, attributes}) => name === 'tr' && attributes.has('id')).length, 300);
  t.true(elements.some(({name, text}) => name === 'p' && /^\d+ more recipes would make this page large/.test(text)));
});

const hostile = `"'><script>alert(1)</script><!-- </style> &lt; \\N \u0000\ud800 ${'x'.repeat(3)}`;
/** As it stands in the text of a page. */
const shown = hostile.replace('\u0000', '\ufffd').replace('\ud800', '\ufffd');

/** Every text of a value, but for the words of the contract that steer the report. */
function spoilt<T>(value: T, keep: ReadonlySet<string>): T {
  if (typeof value === 'string') return (keep.has(value) ? value : `${value}${hostile}`) as T;
  if (Array.isArray(value)) return value.map(each => spoilt<unknown>(each, keep)) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, spoilt<unknown>(each, keep)])) as T;
}

function spoiltModule(module: Module): Module {
  const value = <V extends {readonly name: string}>(each: V): V => ({...each, name: `${each.name}${hostile}`});
  const {graph} = module;
  const nodes = graph.nodes.map(node => ({...node, outputs: node.outputs.map(value) as unknown as typeof node.outputs}));
  const heads = module.heads.map(value);
  return {...module, name: `m${hostile}`, graph: {...graph, inputs: graph.inputs.map(value), nodes}, heads};
}

test('names that are markup stay text, wherever they stand', async t => {
  const keep = new Set([
    'f32',
    'sign',
    'generic',
    'top1',
    'logits',
    ...small.manifest.variants.flatMap(({id, recipe}) => [id, recipe]),
  ]);
  if (!('module' in small.ir)) return t.fail();
  const facts: Facts = {
    manifest: spoilt(small.manifest, keep),
    log: spoilt(small.log, keep),
    ir: {module: spoiltModule(small.ir.module)},
  };
  const cases: readonly Facts[] = [
    facts,
    {...facts, manifest: spoilt(facts.manifest, new Set(['f32', 'top1'])), ir: {missing: hostile}},
  ];
  for (const each of cases) {
    const elements = elementsOf(await reportOf(each));
    t.deepEqual(
      ['script', 'style'].map(name => named(elements, name).length),
      [1, 1],
    );
    t.false(elements.some(({attributes}) => [...attributes.keys()].some(name => name.startsWith('on'))));
    t.true(elements.some(({name, text}) => name === 'h1' && text.includes(shown)));
    t.true(elements.some(({name, text}) => name === 'td' && text.includes(`on the front${shown}`)));
    t.true(elements.some(({name, text}) => name === 'th' && text.includes(`stage0.block0.conv${shown}`)));
    t.true(elements.some(({name, text}) => name === 'title' && text.includes(shown)));
  }
  t.is(html`<b title="${`a"b`}">${['<', html`<i/>`, 1, null]}</b>`.html, '<b title="a&quot;b">&lt;<i/>1</b>');
});

test('a build of which little is known: sentences instead of plots', async t => {
  const textOf = async (facts: Facts): Promise<string> =>
    elementsOf(await reportOf(facts)).find(({name}) => name === 'body')!.text;
  const bare = {...small, manifest: {...small.manifest, variants: small.manifest.variants.map(({quality: _, ...rest}) => rest)}};
  const {catalog: _, ...plain} = small.log;
  const unknown = await textOf({...bare, log: {...plain, recipes: []}, ir: {missing: 'big.ir is not in the folder.'}});
  t.true(unknown.includes('No accuracy is known, so nothing is plotted: dnnc build --evaluate DATA measures it.'));
  t.is(unknown.split('big.ir is not in the folder. Build again').length, 3);
  const one = {...small.manifest, variants: small.manifest.variants.slice(0, 1)};
  t.true((await textOf({...small, log: {...plain, recipes: []}, manifest: one})).includes('There is one variant'));
  const every = await textOf({manifest: example, log: {dnnc: '0.1.0', compiler: 'cc', recipes: []}, ir: {missing: 'none.'}});
  for (const text of ['95.50% in its context at 0.9', 'for child, 1', "o'brien */.onnx", '$0.00001'])
    t.true(every.includes(text), text);
});

test('a variant that collapsed does not press the others together', async t => {
  const {catalog} = small.log;
  const tried = catalog!.tried.map((each, i) =>
    i === catalog!.tried.length - 1 ? {...each, accuracy: {...each.accuracy!, value: 11, interval: [9, 13] as const}} : each,
  );
  const elements = elementsOf(await reportOf({...small, log: {...small.log, catalog: {maxLoss: 1, tried}}}));
  t.true(elements.some(({name, text}) => name === 'p' && text === 'Below the plot, marked by arrows: prune:0.3+w4 (11.00%).'));
  const marks = elements.filter(
    ({name, text, inside}) => name === 'text' && text === '20%' && inside.some(each => each.name === 'figure'),
  );
  t.is(marks.length, 0);
});

test('accuracies on other samples are never on the front', async t => {
  const [full, first, ...rest] = small.manifest.variants;
  const quality = {...first!.quality!, value: 99, interval: [98, 99.5] as const, data: 'f'.repeat(64)};
  const {catalog: _, ...log} = small.log;
  const variants = [full!, {...first!, quality}, ...rest];
  const elements = elementsOf(await reportOf({...small, log, manifest: {...small.manifest, variants}}));
  t.true(elements.some(({text}) => text.endsWith(`so never on the stair: ${first!.recipe}.`)));
  const points = elements.filter(({attributes}) => attributes.get('data-row') === 'v1');
  t.is(points.length, 4);
  t.false(points.some(element => classOf(element).includes('best')));
});

test('the front: nobody is as cheap and better', t => {
  const at = (cost: number, accuracy: number) => ({cost, accuracy});
  t.deepEqual(frontOf([at(3, 9), at(1, 5), at(2, 5), at(2, 7), at(4, 9), at(1, 4)]), [at(1, 5), at(2, 7), at(3, 9)]);
  t.deepEqual(frontOf([]), []);
});

test('axes: marks are round and inside, wide ranges go by powers', t => {
  const text = (value: number): string => `${value}`;
  for (const values of [[0.04, 0.9], [97.1, 99.3], [5], [1e3, 9e8], [0, 12]]) {
    const axis = axisAround(values, text, {powers: true});
    t.is(axis.logarithmic, values[0]! > 0 && values.at(-1)! / values[0]! >= 12);
    t.true(axis.marks.length >= 2 && axis.marks.length <= 9, `${values}: ${axis.marks}`);
    for (const value of [...values, ...axis.marks]) t.true(along(axis, value) >= 0 && along(axis, value) <= 1, `${value}`);
  }
  t.is(axisAround([99, 100], text, {to: 100}).most, 100);
});

test('recipes in words', t => {
  t.is(recipeWords('lowrank:0.5+int8'), 'layers made thin, down to 0.5 of their time, then weights and activations of 8 bits');
  t.is(
    recipeWords('stride+lowrank:0.5:macs'),
    'images halved earlier inside, then layers made thin, down to 0.5 of their multiply-adds',
  );
  t.is(recipeWords('prune:bytes'), 'channels left out to spare bytes, as far as the loss allows');
  t.is(recipeWords('w4:32'), 'weights of 4 bits, a scale per 32 of them');
  t.is(recipeWords('compact'), '');
  t.is(kindOf('lowrank:0.5+int8'), 'lowrank+int8');
  t.is(kindOf('exit@3'), 'exit');
});

test('colours can be told from their ground: WCAG 2.1, 4.5 for text and 3 for marks', t => {
  const css = readFileSync('compiler/page/page.css', 'utf8');
  const [light = '', dark = ''] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, body]) => body!);
  for (const theme of [light, dark]) {
    const colours = new Map([...theme.matchAll(/--(\w+): (#[0-9a-f]{3,6});/g)].map(([, name, value]) => [name!, value!]));
    const contrast = (a: string, b: string): number => {
      const [high, low] = [luminance(colours.get(a)!), luminance(colours.get(b)!)].sort((x, y) => y - x);
      return (high! + 0.05) / (low! + 0.05);
    };
    for (const ground of ['paper', 'raised'])
      for (const text of ['ink', 'soft', 'link'])
        t.true(contrast(text, ground) >= 4.5, `${text} on ${ground}: ${contrast(text, ground)}`);
    for (let tone = 0; tone < 8; tone++) t.true(contrast(`t${tone}`, 'paper') >= 3, `t${tone}: ${contrast(`t${tone}`, 'paper')}`);
  }
});

/** Relative luminance of `#rgb` or `#rrggbb`. */
function luminance(colour: string): number {
  const digits = colour.length === 4 ? [...colour.slice(1)].map(each => each + each).join('') : colour.slice(1);
  const [r, g, b] = [0, 2, 4].map(at => {
    const part = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
