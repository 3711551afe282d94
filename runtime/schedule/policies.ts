/** Every policy by name. */
import {mcdnnPolicy} from './mcdnn.js';
import type {Policy, PolicyName} from './policy.js';

export const policies: Partial<Record<PolicyName, Policy>> = {
  'device-only': mcdnnPolicy('device-only', {places: 'device', reserve: false, paced: false}),
  'cloud-only': mcdnnPolicy('cloud-only', {places: 'cloud', reserve: false, paced: false}),
  mcdnn: mcdnnPolicy('mcdnn', {places: 'both', reserve: true, paced: false}),
};
