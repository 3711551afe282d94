/** A page in a headless Chromium, driven over its DevTools pipe: no package, no port. */
import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Readable, Writable} from 'node:stream';

/** The first that can be run; null where there is none. */
export const chromium: string | null =
  [process.env.DNNC_CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].find(
    name => name !== undefined && spawnSync(name, ['--version']).status === 0,
  ) ?? null;

export type Page = {
  /** What went wrong in the page: exceptions, refused loads. */
  readonly errors: readonly string[];
  command(method: string, params?: object): Promise<Readonly<Record<string, unknown>>>;
  /** The value of an expression of JavaScript. Throws what it throws. */
  evaluate(expression: string): Promise<unknown>;
  /** Waits until an expression is true. */
  until(expression: string, milliseconds?: number): Promise<void>;
  press(key: string): Promise<void>;
  close(): Promise<void>;
};

type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {readonly exceptionDetails?: Thrown; readonly entry?: {readonly level: string; readonly text: string}};
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: {readonly message: string};
};
type Thrown = {readonly text: string; readonly exception?: {readonly description?: string}};

const textOf = ({text, exception}: Thrown): string => exception?.description ?? text;

export async function openPage(address: string): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'dnnc-chromium-'));
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--mute-audio'];
  const browser = spawn(
    chromium!,
    [...flags, '--window-size=1000,900', `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'],
    {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']},
  );
  const pipe = connect(browser);
  const errors: string[] = [];
  let loaded = (): void => {};
  const load = new Promise<void>(resolve => {
    loaded = resolve;
  });
  pipe.listen(({method, params}) => {
    if (method === 'Runtime.exceptionThrown' && params?.exceptionDetails) errors.push(textOf(params.exceptionDetails));
    if (method === 'Page.loadEventFired') loaded();
    if (method === 'Log.entryAdded' && params?.entry?.level === 'error') errors.push(params.entry.text);
  });
  const {targetInfos} = await pipe.send('Target.getTargets');
  const target = (targetInfos as readonly {readonly type: string; readonly targetId: string}[]).find(
    ({type}) => type === 'page',
  )!;
  const {sessionId} = await pipe.send('Target.attachToTarget', {targetId: target.targetId, flatten: true});
  const command = (method: string, params: object = {}) => pipe.send(method, params, String(sessionId));
  for (const domain of ['Page', 'Runtime', 'Log']) await command(`${domain}.enable`);
  await command('Page.navigate', {url: address});
  await load;

  async function evaluate(expression: string): Promise<unknown> {
    const {result, exceptionDetails} = await command('Runtime.evaluate', {expression, returnByValue: true, awaitPromise: true});
    if (exceptionDetails) throw new Error(textOf(exceptionDetails as Thrown));
    return (result as {readonly value?: unknown}).value;
  }

  return {
    errors,
    command,
    evaluate,
    async until(expression, milliseconds = 60_000) {
      const end = performance.now() + milliseconds;
      while ((await evaluate(expression)) !== true) {
        if (performance.now() > end) throw new Error(`${expression} was not true in time: ${errors.join('; ')}`);
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    },
    async press(key) {
      const text = key.length === 1 ? {text: key} : {};
      for (const type of ['keyDown', 'keyUp'])
        await command('Input.dispatchKeyEvent', {type, key, ...codesOf(key), ...(type === 'keyDown' && text)});
    },
    async close() {
      const closed = new Promise(resolve => browser.once('close', resolve));
      browser.kill();
      await closed;
      rmSync(profile, {recursive: true, force: true, maxRetries: 5});
    },
  };
}

function codesOf(key: string): object {
  const code = {' ': 32, Home: 36, End: 35, Tab: 9}[key] ?? key.toUpperCase().charCodeAt(0);
  return {windowsVirtualKeyCode: code, ...(key.length > 1 && {code: key})};
}

/** Messages are JSON that ends with a zero byte. */
function connect(browser: ChildProcess) {
  const [input, output] = [browser.stdio[3] as Writable, browser.stdio[4] as Readable];
  const pending = new Map<number, (message: Message) => void>();
  let listener: (message: Message) => void = () => {};
  let [count, rest] = [0, ''];
  output.setEncoding('utf8').on('data', (part: string) => {
    const texts = (rest + part).split('\0');
    rest = texts.pop() ?? '';
    for (const text of texts) {
      const message = JSON.parse(text) as Message;
      if (message.id === undefined) listener(message);
      else pending.get(message.id)?.(message);
    }
  });
  browser.once('close', () => {
    for (const settle of pending.values()) settle({error: {message: 'the browser has ended'}});
  });
  return {
    listen(to: (message: Message) => void): void {
      listener = to;
    },
    send(method: string, params: object = {}, sessionId?: string): Promise<Readonly<Record<string, unknown>>> {
      const id = ++count;
      return new Promise((resolve, reject) => {
        pending.set(id, ({result, error}) => {
          pending.delete(id);
          if (error) reject(new Error(`${method}: ${error.message}`));
          else resolve(result ?? {});
        });
        input.write(`${JSON.stringify({id, method, params, sessionId})}\0`);
      });
    },
  };
}
