/** What was built, in a few lines, and where in the page to look. */
import type {Manifest} from '../../runtime/manifest.js';
import {type Html, html, type Part} from '../page/html.js';
import type {BuildLog} from './log.js';
import {bytes, counted} from './words.js';

/** A section as the list of contents has it. */
export type Chapter = {readonly id: string; readonly title: string};

export function heading({name, tasks, variants, libraries, generator, buildHash, weights, arena}: Manifest, log: BuildLog): Html {
  const hosts = [
    ...new Set(
      variants.flatMap(({latency}) =>
        Object.values(latency ?? {}).map(({host, threads}) => `${host}, ${counted(threads, 'thread')}`),
      ),
    ),
  ];
  const data = [
    ...new Set(
      variants.flatMap(({quality}) => (quality ? [`${quality.n} labelled samples (sha256 ${quality.data.slice(0, 12)})`] : [])),
    ),
  ];
  const facts: readonly (readonly [string, Part])[] = [
    ['models', generator.sources.join(', ')],
    ['libraries', libraries.map(({target}) => target).join(', ')],
    ['weights', bytes(weights.bytes)],
    ['scratch memory', `${bytes(arena.bytes)} per thread`],
    ['timed on', hosts.join('; ')],
    ['accuracy on', data.join('; ')],
    ['built by', `dnnc ${generator.version}, ${log.compiler}`],
    ['build', html`<code>${buildHash}</code>`],
  ];
  const rows = facts
    .filter(([, value]) => value !== '')
    .map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`);
  const count = Object.keys(tasks).length;
  return html`<header><h1>${name}</h1><p class="lead">${counted(count, 'task')} in ${counted(variants.length, 'variant')}</p><dl class="facts">${rows}</dl></header>`;
}

export const contents = (sections: readonly Chapter[]): Html =>
  html`<nav aria-label="Sections"><ul>${sections.map(({id, title}) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`;
