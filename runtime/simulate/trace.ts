/**
 * What happens during a day, in order of time: requests arrive, the connection comes and goes. In a file: one JSON object per
 * line, `{"t": 12.5, "request": "face"}` or `{"t": 40, "link": false}`; `t` in seconds, `class` of a request if it is known.
 */
import {isRecord} from '../check.js';
import {DnncRuntimeError} from '../errors.js';

/** `kind` is the position of the request in the catalog, or -1 where the connection changes to `up`. */
export type TraceEvent = {readonly time: number; readonly kind: number; readonly up: boolean; readonly label?: number};

/** Can be walked any number of times, and is never held as a whole. */
export type Trace = Iterable<TraceEvent>;

const fields: ReadonlySet<string> = new Set(['t', 'request', 'link', 'class']);
const cure = 'a line is {"t": seconds, "request": "NAME"} or {"t": seconds, "link": true or false}, in order of time';

/** Reads line after line; throws `trace.invalid` with the number of the line. Empty lines say nothing. */
export function traceReader(file: string, names: readonly string[]): (line: string) => TraceEvent | undefined {
  const kinds = new Map(names.map((name, i) => [name, i]));
  let number = 0;
  let before = 0;
  const refuse = (says: string): never => {
    throw new DnncRuntimeError('trace.invalid', `${file}:${number}`, says, cure);
  };
  return line => {
    number++;
    if (line.trim() === '') return undefined;
    const event = parsed(line) ?? refuse('is not a JSON object');
    for (const key in event)
      if (!fields.has(key)) refuse(`has the field "${shortened(key)}"; there are ${[...fields].join(', ')}`);
    const {t: time, request, link, class: label} = event;
    if (typeof time !== 'number' || !(time >= 0 && time < Infinity)) return refuse('t is not a number of seconds from 0');
    if (time < before) refuse(`t is ${time}, less than ${before} of the line before`);
    before = time;
    if (link !== undefined) {
      if (request !== undefined || label !== undefined) refuse('has both a link and a request');
      return typeof link === 'boolean' ? {time, kind: -1, up: link} : refuse('link is neither true nor false');
    }
    if (typeof request !== 'string') return refuse('request is not the name of a request');
    const kind = kinds.get(request);
    if (kind === undefined)
      return refuse(`"${shortened(request)}" is not requested in the catalog; there are ${names.join(', ')}`);
    if (label === undefined) return {time, kind, up: false};
    if (typeof label !== 'number' || !Number.isSafeInteger(label) || label < 0)
      return refuse('class is not a whole number from 0');
    return {time, kind, up: false, label};
  };
}

const shortened = (text: string): string => (text.length > 40 ? `${text.slice(0, 37)}...` : text);

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The line of an event, as `traceReader` reads it. */
export const traceLine = ({time, kind, up, label}: TraceEvent, names: readonly string[]): string =>
  JSON.stringify(kind < 0 ? {t: time, link: up} : {t: time, request: names[kind], ...(label !== undefined && {class: label})});
