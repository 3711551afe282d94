/**
 * What a build's manifest does not say: what joules, bytes and cloud seconds cost on a device and a price list, and how requests
 * come. Numbers of a profile are models, and the catalog that is made with one says so.
 */
import {array, type Check, checked, integer, number, object, oneOf, optional, text, wrong} from '../check.js';
import type {CatalogTask} from './catalog.js';

export type Profile = {
  readonly schema: 1;
  readonly name: string;
  readonly device: {
    /** Joules and milliseconds per 10^9 multiply-accumulates, where the manifest has no measured energy or latency. */
    readonly joulesPerGmac: number;
    readonly millisecondsPerGmac: number;
    /** Of reading weights: per megabyte (10^6 bytes). */
    readonly loadJoulesPerMegabyte: number;
    readonly loadMillisecondsPerMegabyte?: number;
    /** Whose latencies and measured energies of the manifest count. Absent: those of the first library. */
    readonly target?: string;
    /** The device profile whose modelled energies of the manifest count instead. Without `target` no latency does then: it is of another machine. */
    readonly profile?: string;
    /** Watts while it computes: with a measured latency, energy is their product. */
    readonly watts?: number;
  };
  readonly link: {readonly joulesPerMegabyte: number; readonly joulesPerRequest?: number; readonly milliseconds?: number};
  readonly cloud: {
    readonly dollarsPerHour: number;
    readonly millisecondsPerGmac: number;
    /** Whose prices of the manifest count where there are some. */
    readonly profile?: string;
  };
  readonly requests: readonly ProfileRequest[];
};

/** `share`: of its requests that the classes of cascades' contexts hold, from 0 to 1. Absent: cascades are left out. */
export type ProfileTask = CatalogTask & {readonly share?: number};

export type ProfileRequest = {
  readonly name: string;
  readonly tasks: readonly ProfileTask[];
  /** Per second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly latencyLimit?: number;
  /** Of an input as it is sent. Absent: the tensor's size, one byte per value. */
  readonly inputBytes?: number;
};

const word = text(/\S/, 'a string that is not empty');
const amount = number(0);

const shape: Check<Profile> = object<Profile>({
  schema: oneOf(1),
  name: word,
  device: object<Profile['device']>({
    joulesPerGmac: amount,
    millisecondsPerGmac: amount,
    loadJoulesPerMegabyte: amount,
    loadMillisecondsPerMegabyte: optional(amount),
    target: optional(word),
    profile: optional(word),
    watts: optional(amount),
  }),
  link: object<Profile['link']>({joulesPerMegabyte: amount, joulesPerRequest: optional(amount), milliseconds: optional(amount)}),
  cloud: object<Profile['cloud']>({dollarsPerHour: amount, millisecondsPerGmac: amount, profile: optional(word)}),
  requests: array(
    object<ProfileRequest>({
      name: word,
      tasks: array(object<ProfileTask>({name: word, weight: optional(amount), share: optional(number(0, 1))}), 1),
      rate: amount,
      latencyLimit: optional(amount),
      inputBytes: optional(integer(0)),
    }),
    1,
  ),
});

/** Throws `profile.invalid`. */
export function readProfile(value: unknown): Profile {
  const check: Check<Profile> = (document, path) => {
    shape(document, path);
    const names = new Set<string>();
    for (const [i, {name}] of (document as Profile).requests.entries()) {
      if (names.has(name)) wrong(`requests[${i}].name`, 'is there twice', 'names must be unique');
      names.add(name);
    }
  };
  checked(check, value, 'profile.invalid', 'profile', 'correct this field');
  return value;
}
