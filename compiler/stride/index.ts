/** `stride`: images are halved earlier inside a network. */
import type {Structure} from '../restructure/change.js';
import {explain} from './explain.js';
import {withStride} from './insert.js';
import {type Site, sitesOf} from './sites.js';
import {wantedOf} from './wanted.js';

export const strides: Structure<Site> = {find: sitesOf, make: withStride, wanted: wantedOf, explain};
