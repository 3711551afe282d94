/** The paper's energies again, from the counts of its networks and the coefficients of its device. */
import {energyOf, openDeviceProfile} from 'dnnc';
import type {Row} from './catalogs.js';

const device = openDeviceProfile('jetson-tk1');

/** Joules of a call on the device. A megabyte of the paper is 2^20 bytes. */
export function modelledJoules({megaflops = Number.NaN, megabytes}: Row): number {
  const work = {floatMacs: (megaflops * 1e6) / 2, integerMacs: 0, weightBytes: megabytes * 2 ** 20, activationBytes: 0};
  return (energyOf(device, work)?.millijoules ?? Number.NaN) / 1000;
}
