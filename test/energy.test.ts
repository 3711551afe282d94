/** Profiles of devices and clouds, energies and prices by them, and the meter of the machine. */
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {z} from 'zod';
import {leftOut} from '../codegen/kernels/ways.js';
import {openAsked} from '../compiler/energy/asked.js';
import {joulesPerCall} from '../compiler/energy/measure.js';
import {costsOf, energyOf, priceOf, timeOf, type Work, workOf} from '../compiler/energy/model.js';
import {openDeviceProfile, profileNames, profileSchema} from '../compiler/energy/profile.js';
import {findRapl} from '../compiler/energy/rapl.js';
import {packageFile} from '../compiler/package-files.js';
import {modelledJoules} from '../examples/mcdnn/energy.js';
import {costOfHead} from '../ir/cost.js';
import {parse} from '../ir/parse.js';
import type {KernelCall} from '../ir/plan.js';
import {refuses} from './support/onnx-bytes.js';
import {temporaryFolder} from './support/temporary.js';

const root = temporaryFolder();
let files = 0;
const fresh = (): string => join(root, `${files++}`);
function temporaryFile(name: string, content: string): string {
  const folder = fresh();
  mkdirSync(folder);
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const from = (value: number, unit: string, range?: readonly [number, number]) => ({
  ...{value, unit, source: 'a test'},
  ...(range && {range}),
});
const document = {
  ...{schema: 1, name: 'toy', kind: 'server', summary: 'round numbers'},
  coefficients: {
    float: from(100, 'pJ/MAC', [50, 200]),
    integer: from(10, 'pJ/MAC'),
    weights: from(1000, 'pJ/B'),
    activations: from(2, 'pJ/B'),
    call: from(0.5, 'mJ'),
    floatTime: from(4, 'ms/GMAC'),
    integerTime: from(1, 'ms/GMAC'),
    callTime: from(2, 'ms'),
    price: from(0.36, '$/h'),
  },
};
const profileOf = (content: unknown) => openDeviceProfile(temporaryFile('toy.json', JSON.stringify(content)));
const work: Work = {floatMacs: 2e9, integerMacs: 5e9, weightBytes: 3e6, activationBytes: 1e9};

test('energy, time and price are the sums that the profile says', t => {
  const toy = profileOf(document);
  // 200 + 50 + 3 + 2 + 0.5 mJ; the floats from half to twice.
  t.deepEqual(energyOf(toy, work), {millijoules: 255.5, source: 'modelled', profile: 'toy', interval: [155.5, 455.5]});
  t.is(timeOf(toy, work), 8 + 5 + 2);
  t.deepEqual(priceOf(toy, work), {dollars: 1.5e-6, milliseconds: 15});
  t.deepEqual(energyOf(toy, {...work, floatMacs: 0}), {millijoules: 55.5, source: 'modelled', profile: 'toy'});
});

test('what a profile does not know of the work has no figure, and no field', t => {
  const {float, floatTime, price, ...rest} = document.coefficients;
  const bytesOnly = profileOf({...document, coefficients: rest});
  t.is(energyOf(bytesOnly, work), null);
  t.is(energyOf(bytesOnly, {...work, floatMacs: 0})?.millijoules, 55.5);
  t.is(priceOf(bytesOnly, {...work, floatMacs: 0}), null);
  const free = profileOf({...document, coefficients: {floatTime, price}});
  t.is(energyOf(free, {...work, integerMacs: 0}), null);
  t.is(priceOf(free, {...work, integerMacs: 0})?.milliseconds, 8);
  t.deepEqual(costsOf([], work), {});
  t.deepEqual(Object.keys(costsOf([free], work)), []);
  const measured = {millijoules: 3, source: 'measured', profile: 'rapl'} as const;
  t.deepEqual(costsOf([bytesOnly], work, {generic: measured}), {energy: {generic: measured}});
  t.truthy(float);
});

test('sums of bytes are counted apart, except where channels are alone', t => {
  const module = parse(`dnnc-ir 1
module @m {
  input %x : u8[1,8,4,4]
  const %w : i8[8,8,1,1] = random(1)
  const %d : f32[8,1,3,3] = random(2)
  const %v : i8[10,128] = random(3)
  %a = conv2d_u8(%x, %w) {epilogue = "u8(clamp(add(round(mul(x0, 0.01)), 128), 0, 255))"} : u8[1,8,4,4]
  %b = conv2d_u8(%a, %d) {epilogue = "u8(clamp(add(round(mul(x0, 0.01)), 128), 0, 255))", groups = 8, pads = [1, 1, 1, 1]} : u8[1,8,4,4]
  %c = reshape(%b) {shape = [1, 128]} : u8[1,128]
  %y = linear_u8(%c, %v) : f32[1,10]
  head @task = %y
}
`);
  const cost = costOfHead(module.graph, module.heads[0]!);
  t.is(cost.macs, 16 * 64 + 16 * 72 + 1280);
  t.is(cost.integerMacs, 16 * 64 + 1280);
  t.deepEqual(workOf(cost, 7, []), {
    ...{floatMacs: 16 * 72, integerMacs: 16 * 64 + 1280, weightBytes: 7},
    activationBytes: cost.bytesRead + cost.bytesWritten,
  });
});

test('what Winograd leaves out of a layer does not count, and its transforms do', t => {
  const call = (contract: string, fields: Readonly<Record<string, number>>): KernelCall => ({
    ...{kind: 'kernel', contract, header: null, struct: '', params: [], epilogue: null, fields},
  });
  const square = {n: 1, oh: 8, ow: 8, ic: 16, oc: 16};
  // Four tiles of 36 products by 16 x 16 channels, and 190 + 145 cycles of two vectors of 16.
  t.is(leftOut(call('winograd_f32', {...square, m: 4})), 64 * 9 * 256 - 4 * (36 * 256 + 335 * 32));
  t.is(leftOut(call('conv2d_f32', {...square, kh: 3, kw: 3, sh: 1, sw: 1, dh: 1, dw: 1, groups: 1})), 0);
  // One tile of few channels is dearer by transforms: then nothing is left out.
  t.is(leftOut(call('winograd_f32', {n: 1, oh: 2, ow: 2, ic: 1, oc: 1, m: 4})), 0);
});

test('every profile that comes with dnnc opens by its name, and the kinds that were promised are there', t => {
  const profiles = profileNames().map(openDeviceProfile);
  t.deepEqual(
    profiles.map(({name}) => name),
    profileNames(),
  );
  const count = (kind: string): number => profiles.filter(profile => profile.kind === kind).length;
  t.true(count('phone') >= 2 && count('single-board') >= 2 && count('microcontroller') >= 1 && count('server') >= 2);
  for (const {name, kind, coefficients} of profiles)
    t.true(kind === 'server' ? !!coefficients.price : !!coefficients.float, name);
});

test('the published schema is the one that is checked', t => {
  const published: unknown = JSON.parse(readFileSync(packageFile('compiler', 'energy', 'profile.schema.json'), 'utf8'));
  t.deepEqual(published, JSON.parse(JSON.stringify(z.toJSONSchema(profileSchema))));
});

for (const [name, change, says] of [
  ['a coefficient that does not exist', {coefficients: {floats: from(1, 'pJ/MAC')}}, /floats/],
  ['another unit', {coefficients: {float: from(1, 'J/MAC')}}, /pJ\/MAC/],
  ['a negative number', {coefficients: {float: from(-1, 'pJ/MAC')}}, /float\.value/],
  ['a number without a source', {coefficients: {float: {value: 1, unit: 'pJ/MAC'}}}, /float\.source/],
  ['a range beside its value', {coefficients: {float: from(3, 'pJ/MAC', [4, 5])}}, /range must hold value/],
  ['a kind that does not exist', {kind: 'fridge'}, /kind/],
  ['another version', {schema: 2}, /schema/],
  ['a name that is no word', {name: 'My phone'}, /name/],
] as const)
  test(`refuses ${name}`, t => {
    const error = refuses(t, 'input', 'profile.invalid', () => profileOf({...document, ...change}));
    t.regex(error?.message ?? '', says);
  });

test('refuses what is no profile, a name that is none, and two of one name', t => {
  refuses(t, 'input', 'profile.file', () => openDeviceProfile(temporaryFile('p.json', '{')));
  refuses(t, 'input', 'profile.file', () => openDeviceProfile('nowhere.json'));
  const error = refuses(t, 'usage', 'profile.unknown', () => openAsked(['pixel-9']));
  t.regex(error?.message ?? '', /pixel-3/);
  const other = temporaryFile('other.json', JSON.stringify({...document, name: 'pixel-3'}));
  refuses(t, 'usage', 'profile.twice', () => openAsked(['pixel-3', other]));
  t.is(openAsked(['pixel-3', 'pixel-3']).profiles.length, 1);
});

/** A folder as the kernel shows it; `count` moves a counter. */
function powercap(zones: Readonly<Record<string, readonly [name: string, microjoules: number]>>) {
  const folder = fresh();
  for (const [zone, [name, microjoules]] of Object.entries(zones)) {
    mkdirSync(join(folder, zone), {recursive: true});
    writeFileSync(join(folder, zone, 'name'), `${name}\n`);
    writeFileSync(join(folder, zone, 'energy_uj'), `${microjoules}\n`);
    writeFileSync(join(folder, zone, 'max_energy_range_uj'), '262143328850\n');
  }
  return {folder, count: (zone: string, value: number): void => writeFileSync(join(folder, zone, 'energy_uj'), `${value}\n`)};
}

function meterOf(folder: string) {
  const found = findRapl(folder);
  if ('meter' in found) return found.meter;
  throw new Error(found.why);
}

test('the meter adds packages and their memory, nothing twice, and counters may wrap', t => {
  const {folder, count} = powercap({
    'intel-rapl:0': ['package-0', 1e6],
    'intel-rapl:0:0': ['core', 1e6],
    'intel-rapl:0:1': ['dram', 262_143_000_000],
    'intel-rapl:1': ['package-1', 5e6],
    'intel-rapl:2': ['psys', 1e6],
    'intel-rapl-mmio:0': ['package-0', 1e6],
  });
  const meter = meterOf(folder);
  t.deepEqual(meter.zones, ['package-0', 'dram', 'package-1']);
  t.is(meter.joules(), 0);
  count('intel-rapl:0', 3e6);
  count('intel-rapl:0:0', 9e6);
  count('intel-rapl:0:1', 671_150);
  count('intel-rapl:1', 5.5e6);
  count('intel-rapl:2', 9e6);
  count('intel-rapl-mmio:0', 9e6);
  // 2 J, 1 J around the end of the counter, 0.5 J.
  t.is(meter.joules(), 3.5);
  t.is(meter.joules(), 3.5);
});

test('where there is no meter, it is said why', t => {
  const why = (folder: string): string => {
    const found = findRapl(folder);
    return 'why' in found ? found.why : 'found';
  };
  t.regex(why(fresh()), /not there/);
  t.regex(why(powercap({'intel-rapl:0': ['psys', 1]}).folder), /no package/);
  const {folder} = powercap({'intel-rapl:0': ['package-0', 1]});
  // Reading fails for root, too.
  rmSync(join(folder, 'intel-rapl:0', 'energy_uj'));
  mkdirSync(join(folder, 'intel-rapl:0', 'energy_uj'));
  t.regex(why(folder), /EISDIR|illegal operation/);
});

test('energy of a call: what the machine takes beyond idling, the median of several and their spread', t => {
  const {folder, count} = powercap({'intel-rapl:0': ['package-0', 0]});
  const meter = meterOf(folder);
  let [seconds, joules, runs] = [0, 0, 0];
  // An idle machine takes 10 W; ten calls take 50 ms and 1 J more, 1.2 J from the thirtieth run on.
  const pass = (time: number, more: number): void => {
    seconds += time;
    joules += 10 * time + more;
    count('intel-rapl:0', Math.round(joules * 1e6));
  };
  const found = joulesPerCall(
    meter,
    () => {
      pass(0.05, ++runs > 30 ? 1.2 : 1);
      return 10;
    },
    {now: () => seconds, wait: time => pass(time, 0)},
  );
  const near = (value: number, wanted: number) => t.true(Math.abs(value - wanted) < 1e-6, `${value}`);
  near(found.low, 0.1);
  near(found.high, 0.12);
  t.true(found.low < found.median && found.median < found.high);
});

test("the paper's energies come out of its counts: the task that the model was fitted to, and one that it was not", t => {
  type Row = Parameters<typeof modelledJoules>[0];
  const models = JSON.parse(readFileSync(packageFile('examples', 'mcdnn', 'models.json'), 'utf8')) as Record<
    'object' | 'face',
    Row[]
  >;
  for (const row of models.object) t.true(Math.abs(modelledJoules(row) / row.deviceJoules - 1) < 0.06, row.id);
  for (const row of models.face) {
    const ratio = modelledJoules(row) / row.deviceJoules;
    t.true(ratio > 0.6 && ratio < 1.45, `${row.id} ${ratio}`);
  }
  // What it is for: of two variants, which takes less. Those within a tenth of each other may change places.
  for (const a of models.face)
    for (const b of models.face)
      if (a.deviceJoules > 1.1 * b.deviceJoules) t.true(modelledJoules(a) > modelledJoules(b), `${a.id} ${b.id}`);
});
