import type {OpCase} from '../common/cases.js';
import {windows} from '../maxpool/cases.js';

export const cases: readonly OpCase[] = [
  ...windows,
  ...windows
    .filter(({attrs}) => 'pads' in attrs || 'ceil' in attrs)
    .map(({name, attrs, inputs}) => ({name: `${name}, padding counts`, attrs: {...attrs, includePad: true}, inputs})),
];
