/** Where results that only save time are kept: $XDG_CACHE_HOME/dnnc, by default ~/.cache/dnnc. */
import {homedir} from 'node:os';
import {join} from 'node:path';

export const cacheFolder = (what: string): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'dnnc', what);
