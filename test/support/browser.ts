/** A page in headless Chromium, driven over its DevTools pipe: JSON documents that end with a zero byte, in and out. */
import {type ChildProcess, spawn} from 'node:child_process';
import {accessSync, constants} from 'node:fs';
import {delimiter, join} from 'node:path';
import type {Readable, Writable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import {temporaryFolder} from './temporary.js';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** The browser of this machine: `CHROMIUM`, or what the path has; null where there is none. */
export const browserPath: string | null = process.env['CHROMIUM'] ?? onPath();

function onPath(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const files = names.flatMap(name => folders.map(folder => join(folder, name)));
  return files.find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: {readonly message: string};
};

export type Page = {
  /** A command of the DevTools protocol, to this page. */
  send(method: string, params?: object): Promise<Record<string, unknown>>;
  /** The value of an expression, as JSON. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until an expression is true; throws after a minute. */
  until(expression: string): Promise<void>;
  press(key: string): Promise<void>;
  look(view: View): Promise<void>;
  /** PNG. */
  screenshot(): Promise<Uint8Array>;
  /** What went wrong in the page: exceptions, errors on its console, what its policy refused. */
  readonly errors: readonly string[];
};

export type View = {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
  readonly media?: 'screen' | 'print';
  /** Whether the page's scripts run; only heeded when it is opened. */
  readonly scripts?: boolean;
};

/** Opens `url`, calls `use` once it has loaded, and ends the browser. */
export async function inBrowser<T>(url: string, view: View, use: (page: Page) => Promise<T>): Promise<T> {
  const profile = temporaryFolder();
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--hide-scrollbars'];
  const child = spawn(browserPath!, [...flags, `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, to be ended as one
  });
  const ended = new Promise(resolve => child.once('exit', resolve));
  const pipe = connect(child);
  try {
    const {targetId} = await pipe.send('Target.createTarget', {url: 'about:blank'});
    const {sessionId} = await pipe.send('Target.attachToTarget', {targetId, flatten: true});
    const page = pageOf(pipe, String(sessionId));
    for (const domain of ['Page', 'Runtime', 'Log']) await page.send(`${domain}.enable`);
    await page.look(view);
    await page.send('Emulation.setScriptExecutionDisabled', {value: view.scripts === false});
    const loaded = pipe.next('Page.loadEventFired');
    await page.send('Page.navigate', {url});
    await loaded;
    return await use(page);
  } finally {
    // By itself it waits for its own processes, which would else go on writing to the profile.
    pipe.send('Browser.close').catch(() => {});
    const patience = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 30_000);
    await ended;
    clearTimeout(patience);
  }
}

type Pipe = {
  send(method: string, params?: object, sessionId?: string): Promise<Record<string, unknown>>;
  next(method: string): Promise<void>;
  watch(see: (message: Message) => void): void;
};

function connect(child: ChildProcess): Pipe {
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  const waiting = new Map<number, {resolve(result: Record<string, unknown>): void; reject(error: Error): void}>();
  const watchers: ((message: Message) => void)[] = [];
  const gone = (): void => {
    for (const {reject} of waiting.values()) reject(new Error('the browser has ended'));
    waiting.clear();
  };
  child.once('exit', gone).once('error', gone);
  input.on('error', gone);
  let rest = '';
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\0');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const message = JSON.parse(part) as Message;
      const call = waiting.get(message.id ?? 0);
      waiting.delete(message.id ?? 0);
      if (message.error) call?.reject(new Error(message.error.message));
      else call?.resolve(message.result ?? {});
      for (const see of watchers) see(message);
    }
  });
  let last = 0;
  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        waiting.set(++last, {resolve, reject});
        input.write(`${JSON.stringify({id: last, method, params, ...(sessionId && {sessionId})})}\0`);
      }),
    next: method => new Promise(resolve => watchers.push(message => message.method === method && resolve())),
    watch: see => void watchers.push(see),
  };
}

/** Of keys that are not a letter. */
const keyCodes: Readonly<Record<string, number>> = {Enter: 13, Escape: 27, ' ': 32, End: 35, Home: 36, ArrowLeft: 37};

function pageOf(pipe: Pipe, session: string): Page {
  const errors: string[] = [];
  pipe.watch(({method, params}) => {
    const entry = params?.['entry'] as {level?: string; text?: string} | undefined;
    const isError = method === 'Runtime.exceptionThrown' || params?.['type'] === 'error' || entry?.level === 'error';
    if (isError) errors.push(JSON.stringify(params));
  });
  const send: Page['send'] = (method, params) => pipe.send(method, params, session);
  async function evaluate<T>(expression: string): Promise<T> {
    const {result, exceptionDetails} = await send('Runtime.evaluate', {expression, returnByValue: true, awaitPromise: true});
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as {value: T}).value;
  }
  return {
    ...{send, errors, evaluate},
    async until(expression) {
      const end = performance.now() + 60_000;
      while ((await evaluate(expression)) !== true) {
        if (performance.now() > end) throw new Error(`${expression} was not true in time: ${errors.join('; ')}`);
        await sleep(50);
      }
    },
    async press(key) {
      const text = key === 'Enter' ? {text: '\r'} : key.length === 1 ? {text: key} : {};
      const windowsVirtualKeyCode = keyCodes[key] ?? key.toUpperCase().charCodeAt(0);
      await send('Input.dispatchKeyEvent', {type: 'keyDown', key, code: key, windowsVirtualKeyCode, ...text});
      await send('Input.dispatchKeyEvent', {type: 'keyUp', key, code: key, windowsVirtualKeyCode});
    },
    async look({width, height, dark, media = 'screen'}) {
      await send('Emulation.setDeviceMetricsOverride', {width, height, deviceScaleFactor: 1, mobile: false});
      const features = [{name: 'prefers-color-scheme', value: dark ? 'dark' : 'light'}];
      await send('Emulation.setEmulatedMedia', {media, features});
    },
    async screenshot() {
      const {data} = await send('Page.captureScreenshot', {format: 'png'});
      return Buffer.from(String(data), 'base64');
    },
  };
}
