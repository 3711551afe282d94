/** How content is named, on disk and between machines. */
import {createHash} from 'node:crypto';

/** sha256 in 64 hex digits; text counts as UTF-8. */
export const shaOf = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');
