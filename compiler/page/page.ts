/**
 * A page in one file: no network, light or dark as the reader's system is, readable without scripts. Its policy allows the
 * style and the script that it was written with, and nothing else.
 */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {packageFile} from '../package-files.js';
import {type Html, html, type Part, raw} from './html.js';

export type Page = {
  readonly title: string;
  /** Files below compiler/ whose text the page takes in, besides what all pages have. */
  readonly style?: string;
  readonly script?: string;
  readonly body: Part;
};

export function page({title, style, script, body}: Page): string {
  const css = ['page/page.css', ...(style === undefined ? [] : [style])].map(textOf).join('');
  const js = script === undefined ? '' : textOf(script);
  const policy = `default-src 'none'; style-src '${hashOf(css)}'; ${js === '' ? '' : `script-src '${hashOf(js)}'; `}base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${raw(policy)}">
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title}</title>
<style>${raw(css)}</style></head><body>
${body}
${js === '' ? null : html`<script>${raw(js)}</script>`}
</body></html>
`.html;
}

const textOf = (file: string): string => readFileSync(packageFile('compiler', file), 'utf8');
const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** A heading, a word about it, and what it is about. `id` is for links to it. */
export const section = (title: Part, says: Part, content: Part, id: string | null = null): Html =>
  html`<section${id === null ? null : html` id="${id}"`}><h2>${title}</h2>${says === null ? null : html`<p class="note">${says}</p>`}${content}</section>`;

/** Names and their colours; `tone` is the position of a colour in page.css. */
export const legend = (entries: readonly {readonly name: string; readonly tone: number}[]): Html =>
  html`<p class="legend">${entries.map(({name, tone}) => html`<span><i class="t${tone}"></i>${name}</span> `)}</p>`;

/** Colours in page.css; what has none of its own takes the last. */
export const tones = 8;
