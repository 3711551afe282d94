/** The page of `dnnc report` in a real browser: by keyboard, light, dark, narrow and on paper. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import test from 'ava';
import {PNG} from 'pngjs';
import {reportOf} from '../compiler/report/index.js';
import {browserPath, inBrowser, type Page, type View} from './support/browser.js';
import {factsOf} from './support/report-facts.js';
import {temporaryFolder} from './support/temporary.js';

const browsed = browserPath === null ? test.serial.skip : test.serial;
const file = join(temporaryFolder(), 'page.html');
const wide: View = {width: 1200, height: 900};
const see = <T>(view: View, use: (page: Page) => Promise<T>): Promise<T> => inBrowser(pathToFileURL(file).href, view, use);

test.before(async () => {
  writeFileSync(file, await reportOf(factsOf({variants: 9, dropped: 5, layers: 6, nodes: 4})));
});

/** First cells of the rows that show, and what the header says of its order. */
const column = (id: string): string => `(() => {
  const table = document.querySelector('${id} table');
  const rows = [...table.tBodies[0].rows].filter(row => !row.hidden);
  return {names: rows.map(row => row.cells[0].textContent), sorts: [...table.tHead.rows[0].cells].map(cell => cell.getAttribute('aria-sort'))};
})()`;
type Column = {readonly names: readonly string[]; readonly sorts: readonly (string | null)[]};

browsed('by keyboard: a table sorts, a point says what it is, arrows go on, rows filter', async t => {
  await see(wide, async page => {
    const before = await page.evaluate<Column>(column('#task-1'));
    t.is(before.names[0], 'full');
    await page.evaluate(`document.querySelectorAll('#task-1 th button')[3].focus()`);
    await page.press('Enter');
    const up = await page.evaluate<Column>(column('#task-1'));
    t.deepEqual(up.sorts.slice(2, 5), [null, 'ascending', null]);
    t.deepEqual(up.names, before.names.toReversed(), 'the quickest first');
    await page.press('Enter');
    const down = await page.evaluate<Column>(column('#task-1'));
    t.deepEqual([down.sorts[3], down.names], ['descending', before.names]);

    const tip = `document.getElementById('tip').hidden ? null : document.getElementById('tip').innerText`;
    t.is(await page.evaluate(tip), null);
    const focusable = `[...document.querySelectorAll('.plots .marks')].map(marks => marks.querySelectorAll('[tabindex="0"]').length)`;
    t.deepEqual(await page.evaluate(focusable), [1, 1, 1, 1], 'a plot is one stop');
    await page.evaluate(`document.querySelector('.plots .marks [tabindex="0"]').focus()`);
    await page.press('End');
    const last = await page.evaluate<string>(tip);
    t.regex(last, /^sign\/full\n/);
    t.regex(last, /accuracy\n95\.00% 93\.7 to 96\.1\n/);
    t.regex(last, /what it is\nthe network as it is\n/);
    t.is(await page.evaluate(`document.querySelectorAll('.marks > .on').length`), 4, 'the same variant in every plot');
    await page.press('ArrowLeft');
    t.notRegex(await page.evaluate<string>(tip), /^sign\/full\n/);
    await page.press('Escape');
    t.is(await page.evaluate(tip), null);
    await page.press('Home');
    await page.press('Enter');
    t.regex(await page.evaluate<string>('location.hash'), /^#v\d+$/);

    await page.evaluate(`document.querySelector('.filtered').open = true; document.querySelector('.filtered input').focus()`);
    await page.send('Input.insertText', {text: 'prune:0.3+'});
    const {names} = await page.evaluate<Column>(column('.filtered'));
    t.deepEqual(names, ['prune:0.3+w4']);
    t.is(await page.evaluate(`document.querySelector('.filtered output').textContent`), '1 of 14');
    t.deepEqual(page.errors, []);
  });
});

browsed('light, dark, narrow and on paper', async t => {
  await see(wide, async page => {
    for (const dark of [false, true]) {
      await page.look({...wide, dark});
      const {data} = PNG.sync.read(Buffer.from(await page.screenshot()));
      const levels = Array.from({length: data.length / 4}, (_, i) => (data[4 * i]! + data[4 * i + 1]! + data[4 * i + 2]!) / 3);
      const bright = levels.filter(level => level > 128).length / levels.length;
      t.true(dark ? bright < 0.2 : bright > 0.8, `${dark}: ${bright}`);
      t.true(new Set(levels).size > 50, 'something is drawn');
    }
    // No part is wider than the window but those that scroll by themselves.
    await page.look({width: 360, height: 800});
    const wider = `[...document.querySelectorAll('main *')].filter(each => !each.closest('.wide, nav') && each.getBoundingClientRect().right > 361).map(each => each.outerHTML.slice(0, 80))`;
    t.deepEqual(await page.evaluate(wider), []);
    t.is(await page.evaluate('document.documentElement.scrollWidth'), 360);
    // Paper is white, and nothing on it can be opened.
    await page.look({...wide, dark: true, media: 'print'});
    const hidden = `[...document.querySelectorAll('details > :not(summary, .filter)')].filter(each => !each.checkVisibility()).length`;
    t.is(await page.evaluate(hidden), 0);
    const styleOf = (part: string, what: string): string => `getComputedStyle(document.querySelector('${part}')).${what}`;
    t.is(await page.evaluate(styleOf('body', 'backgroundColor')), 'rgb(255, 255, 255)');
    t.is(await page.evaluate(styleOf('nav', 'display')), 'none');
    const {data} = await page.send('Page.printToPDF', {printBackground: true});
    t.is(Buffer.from(String(data), 'base64').subarray(0, 5).toString(), '%PDF-');
    t.deepEqual(page.errors, []);
  });
});

browsed('without scripts it is all there to read', async t => {
  await see({...wide, scripts: false}, async page => {
    t.is(await page.evaluate(`document.querySelectorAll('th button').length`), 0);
    t.is(await page.evaluate(`document.querySelectorAll('#task-1 > .wide tbody tr').length`), 9);
    t.true(await page.evaluate<boolean>(`document.querySelectorAll('.plots .marks title').length > 40`));
  });
});
