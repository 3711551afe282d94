/** Every policy by name. */
import {mcdnnPolicy} from './mcdnn.js';
import type {Policy, PolicyName} from './policy.js';
import {dnncPolicy, oraclePolicy} from './receding/policies.js';

export const policies: Readonly<Record<PolicyName, Policy>> = {
  'device-only': mcdnnPolicy('device-only', {places: 'device', reserve: false, paced: false}),
  'cloud-only': mcdnnPolicy('cloud-only', {places: 'cloud', reserve: false, paced: false}),
  mcdnn: mcdnnPolicy('mcdnn', {places: 'both', reserve: true, paced: false}),
  dnnc: dnncPolicy,
  oracle: oraclePolicy,
};
