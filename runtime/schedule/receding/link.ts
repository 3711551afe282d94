/** Which part of the rest of the day there will be a connection: its mean, and how sure that is. */
import type {State} from '../state.js';

export type Link = {
  linkChanged(state: State): void;
  /** Weights of the parts (i + 0.5) / n of the next `horizon` seconds; they sum to 1. */
  weights(state: State, horizon: number, into: Float64Array): void;
};

/** Before anything is seen: the part of the time that is connected, and seconds for which that counts. */
const usualPart = 0.8;
const trust = 3600;
/** Seconds of a spell with, and of one without a connection, before any has ended, and for how many spells that counts. */
const usualSpell = 6000;
const spellTrust = 1;
/** Size of the beta density: below, all of its mass is at the ends; above, it falls between the parts that are looked at. */
const least = 0.15;
const largest = 40;

export function newLink(): Link {
  let since = 0;
  let upBefore = 0;
  let isUp = true;
  let changes = 0;
  const upSeconds = (time: number): number => upBefore + (isUp ? time - since : 0);
  return {
    linkChanged({time, connected}) {
      upBefore = upSeconds(time);
      since = time;
      isUp = connected;
      changes++;
    },
    weights({time, connected}, horizon, into) {
      const usual = (usualPart * trust + upSeconds(time)) / (trust + time);
      // A process that goes up and down at random forgets its state at the sum of both rates.
      const ended = changes / 2;
      const up = (spellTrust * usualSpell + upSeconds(time)) / (spellTrust + ended);
      const down = (spellTrust * usualSpell + time - upSeconds(time)) / (spellTrust + ended);
      const memory = (up * down) / (up + down);
      const spells = Math.max(horizon, 1) / memory;
      const now = connected ? 1 : 0;
      const mean = usual + ((now - usual) * (1 - Math.exp(-spells))) / spells;
      const sureness = 2 + time / memory;
      const independent = Math.max(1.3, spells);
      const size = Math.min(largest, Math.max(least, (independent * (sureness + 1)) / (sureness + independent) - 1));
      // A beta density: wide, or high at both ends, when few spells are left.
      const [a, b] = [mean * size, (1 - mean) * size];
      let sum = 0;
      for (let i = 0; i < into.length; i++) {
        const part = (i + 0.5) / into.length;
        into[i] = part ** (a - 1) * (1 - part) ** (b - 1);
        sum += into[i]!;
      }
      for (let i = 0; i < into.length; i++) into[i]! /= sum;
    },
  };
}
