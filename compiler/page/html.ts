/**
 * HTML as values. What is put into a template is escaped unless it is HTML itself, so no name in a model, a manifest or a log
 * can become markup. `raw` is for what dnnc and Graphviz write.
 */
export type Html = {readonly html: string};

/** Nothing is an empty text; a list is its members, one after the other. */
export type Part = Html | string | number | null | readonly Part[];

/** html`<td>${name}</td>`: between tags, or in the double quotes of an attribute. */
export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  raw(texts.map((text, i) => text + (i < parts.length ? textOf(parts[i]!) : '')).join(''));

export const raw = (text: string): Html => ({html: text});

function textOf(part: Part): string {
  if (part === null) return '';
  if (typeof part === 'string') return escaped(part);
  if (typeof part === 'number') return `${part}`;
  return isHtml(part) ? part.html : part.map(textOf).join('');
}

const isHtml = (part: Html | readonly Part[]): part is Html => 'html' in part;

const entities: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'};

/** Characters that no page may hold (controls, halves of pairs) are replaced by the sign for that. */
const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']|[^\t\n\r\x20-\x7e\u{a0}-\u{d7ff}\u{e000}-\u{10ffff}]/gu, each => entities[each] ?? '\ufffd');
