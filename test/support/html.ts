/** HTML as tests read it: tags in order, which must close as they opened, and the text between them. */

export type Element = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** All that is inside, without tags. */
  readonly text: string;
  /** From the outermost to the parent. */
  readonly inside: readonly Element[];
};

const voids = new Set(['meta', 'input', 'br', 'hr', 'img', 'link']);
const entities: Readonly<Record<string, string>> = {amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'"};

const plain = (text: string): string =>
  text.replaceAll(/&(#?\w+);/g, (all, name: string) => entities[name] ?? (name.startsWith('#') ? numbered(name.slice(1)) : all));
const numbered = (digits: string): string =>
  String.fromCodePoint(digits.startsWith('x') ? Number.parseInt(digits.slice(1), 16) : Number(digits));

/** Every element, in the order of their ends. Throws where tags do not match, or a sign stands bare that has to be escaped. */
export function elementsOf(page: string): readonly Element[] {
  const found: Element[] = [];
  const open: {name: string; attributes: Map<string, string>; text: string}[] = [];
  const end = (name: string): void => {
    const last = open.pop();
    if (last?.name !== name) throw new Error(`</${name}> ends <${last?.name}>`);
    found.push({...last, inside: open.map(each => ({...each, inside: []}))});
    const around = open.at(-1);
    if (around) around.text += last.text;
  };
  let rest = page.replace(/^<!doctype html>\n/, '');
  while (rest !== '') {
    const last = open.at(-1);
    if (last && (last.name === 'script' || last.name === 'style')) {
      const at = rest.indexOf(`</${last.name}>`);
      last.text = rest.slice(0, at);
      rest = rest.slice(at + last.name.length + 3);
      end(last.name);
      continue;
    }
    const text = /^[^<>]+/.exec(rest)?.[0] ?? '';
    if (last) last.text += plain(text);
    rest = rest.slice(text.length);
    if (rest === '') break;
    const tag = /^<(\/?)([a-zA-Z][\w-]*)((?:\s+[^\s"'<>/=]+(?:="[^"]*")?)*)\s*(\/?)>/.exec(rest);
    if (!tag) throw new Error(`no tag: ${rest.slice(0, 80)}`);
    rest = rest.slice(tag[0].length);
    const [, closes, name = '', attributes = '', empty] = tag;
    if (closes) {
      end(name);
      continue;
    }
    const pairs = [...attributes.matchAll(/([^\s"'<>/=]+)(?:="([^"]*)")?/g)];
    open.push({name, attributes: new Map(pairs.map(([, key = '', value = '']) => [key, plain(value)])), text: ''});
    if (new Set(pairs.map(([, key]) => key)).size < pairs.length) throw new Error(`an attribute twice: ${tag[0]}`);
    if (empty || voids.has(name)) end(name);
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)!.name}> does not end`);
  return found;
}
