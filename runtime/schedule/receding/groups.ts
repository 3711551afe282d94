/** What comes into memory together: the segments that an option needs. */
import type {Problem} from '../problem.js';

/** Positions of segments, none of them twice. */
export type Group = readonly number[];

export type Groups = {
  /** What each option needs. */
  readonly needs: readonly Group[];
  /** Those without the empty one, each once. */
  readonly groups: readonly Group[];
  /** Options that need one of its segments, by group. */
  readonly touched: readonly (readonly number[])[];
};

export function groupsOf({kinds}: Problem): Groups {
  const needs = kinds.flatMap(({options}) => options.map(option => option.segments));
  const groups = distinct(needs.filter(group => group.length > 0));
  const touched = groups.map(group => needs.flatMap((need, at) => (need.some(s => group.includes(s)) ? [at] : [])));
  return {needs, groups, touched};
}

function distinct(groups: readonly Group[]): readonly Group[] {
  const seen = new Map(groups.map(group => [[...group].sort((a, b) => a - b).join(), group]));
  return [...seen.values()];
}

export function isPlanned(group: Group, planned: Uint8Array): boolean {
  for (let i = 0; i < group.length; i++) if (planned[group[i]!] === 0) return false;
  return true;
}

/** Bytes that a group takes beside what is planned. */
export function addedBytes({segments}: Problem, group: Group, planned: Uint8Array): number {
  let bytes = 0;
  for (let i = 0; i < group.length; i++) if (planned[group[i]!] === 0) bytes += segments[group[i]!]!.bytes;
  return bytes;
}
