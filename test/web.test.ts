/** The page of examples/web in a headless Chromium: networks answer, the budget is kept, keys and colour schemes work. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {build} from '../compiler/build.js';
import {openDataset} from '../compiler/data/dataset.js';
import {resolveTasks} from '../compiler/tasks.js';
import {npz, splits} from '../examples/signs/data.js';
import {tasks as labels} from '../examples/signs/tasks.js';
import {serve} from '../examples/web/serve.js';
import {browserPath, inBrowser, type Page} from './support/browser.js';
import {tinyModel} from './support/cli.js';
import {temporaryFolder} from './support/temporary.js';
import {hasWasmCompiler, wasm32} from './support/wasm.js';
import {hasCompiler} from './tiny-build.js';

const folder = temporaryFolder();
const view = {width: 1000, height: 900};
const needsBrowser = browserPath !== null && hasWasmCompiler && hasCompiler ? test : test.skip;

/** Two networks for one task: a good one, and a small one that guesses. Measured by running the module in Node. */
async function buildModel(): Promise<string> {
  const [small, samples] = [join(folder, 'tiny.onnx'), join(folder, 'signs.npz')];
  writeFileSync(small, tinyModel());
  writeFileSync(samples, npz({seed: splits.evaluate, count: 60}));
  const networks = ['examples/signs/models/weather.onnx', small].map(file => `weather=${file}`);
  const {tasks} = resolveTasks({tasks: networks, config: 'examples/signs/dnnc.config.json'});
  const directory = join(folder, 'model');
  await build(tasks, {
    ...{directory, name: 'signs', targets: [wasm32], measure: false, flags: ['-O1']},
    evaluate: new Map([['weather', {path: samples, data: openDataset(samples, {labelsKey: 'y_weather'})}]]),
  });
  return directory;
}

needsBrowser('the page answers, spends no more than it has, and can be used without a mouse', async t => {
  t.timeout(180_000);
  const served = await serve(await buildModel(), 0);
  t.teardown(() => served.close());
  await inBrowser(`${served.address}?seed=3`, view, page => usePage(t, page));
});

async function usePage(t: ExecutionContext, page: Page): Promise<void> {
  const text = (selector: string) => page.evaluate(`document.querySelector('${selector}').innerText`) as Promise<string>;
  const cell = (column: number) => text(`#answers tr[data-name=weather] td:nth-of-type(${column})`);
  const pictures = async (): Promise<number> => Number(await page.evaluate('document.body.dataset.pictures'));

  await page.until('Number(document.body.dataset.pictures) >= 3');
  t.true(await page.evaluate<boolean>('crossOriginIsolated'));
  t.true((labels.weather as readonly string[]).includes(await cell(2)));
  await page.press(' ');
  t.is(await text('#play'), 'Go on');
  const paused = await pictures();
  await new Promise(resolve => setTimeout(resolve, 500));
  t.is(await pictures(), paused);

  // All the energy that the best network takes, and more: it is asked first.
  await page.evaluate(`document.getElementById('budget').focus()`);
  await page.press('End');
  t.regex(await text('#budget-text'), /120% of the most/);
  await page.press('n');
  t.is(await pictures(), paused + 1);
  t.is(await cell(3), 'full');
  t.regex(await cell(1), /^[✓✗] (clear|rain|fog|night|snow)$/);
  t.is((await cell(1)).startsWith('✓'), (await cell(1)).slice(2) === (await cell(2)));

  // Energy for six such answers in a day.
  await page.press('Home');
  t.regex(await text('#budget-text'), /\b2% of the most/);
  const variants: string[] = [];
  for (let i = 0; i < 12; i++) {
    await page.press('n');
    variants.push(await cell(3));
  }
  t.true(
    variants.some(variant => variant !== 'full'),
    variants.join(),
  );
  t.true(((await page.evaluate(`document.getElementById('energy-left').value`)) as number) >= 0);

  const colours: unknown[] = [];
  for (const value of ['light', 'dark']) {
    await page.look({...view, dark: value === 'dark'});
    colours.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
  }
  t.deepEqual(colours, ['rgb(252, 252, 253)', 'rgb(22, 24, 28)']);
  t.deepEqual(page.errors, []);
}

needsBrowser('a page without networks says so', async t => {
  mkdirSync(join(folder, 'empty'));
  const served = await serve(join(folder, 'empty'), 0);
  t.teardown(() => served.close());
  await inBrowser(served.address, view, async page => {
    await page.until(`document.getElementById('status').className === 'failed'`);
    const says = await page.evaluate<string>(`document.getElementById('status').textContent`);
    t.regex(says, /manifest\.file.*manifest\.json.*404/);
  });
});

test('the server gives the page, its modules and the build, and nothing else', async t => {
  const served = await serve(folder, 0);
  t.teardown(() => served.close());
  t.true(served.address.startsWith('http://127.0.0.1:'));
  const status = async (path: string): Promise<number> => (await fetch(new URL(path, served.address))).status;
  for (const path of ['', 'style.css', 'build/runtime/wasm/index.js', 'build/examples/web/page/main.js'])
    t.is(await status(path), 200);
  for (const path of [
    'build/%2e%2e/package.json',
    'build/..%2fpackage.json',
    'model/%2e%2e/%2e%2e/etc/passwd',
    '%2fetc%2fpasswd',
    '%',
  ])
    t.is(await status(path), 404);
  const {headers} = await fetch(served.address);
  t.regex(headers.get('content-security-policy') ?? '', /'wasm-unsafe-eval'/);
  t.notRegex(headers.get('content-security-policy') ?? '', /'unsafe-(eval|inline)'/);
});
