/** Text with indentation, and names that C accepts. */

const keywords: ReadonlySet<string> = new Set(
  (
    'auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short signed ' +
    'sizeof static struct switch typedef union unsigned void volatile while bool class delete false friend new operator private protected public ' +
    'template this throw true try typename using virtual and or not xor namespace'
  ).split(' '),
);

/** A C identifier as like the given text as can be, not among `taken`, and then added to it. */
export function identifier(text: string, taken: Set<string>): string {
  const plain = text.replace(/\W+/g, '_').replace(/^_+|_+$/g, '') || 'x';
  const base = /^\d/.test(plain) || keywords.has(plain) ? `x_${plain}` : plain;
  let name = base;
  for (let i = 2; taken.has(name); i++) name = `${base}_${i}`;
  taken.add(name);
  return name;
}

/** Text that cannot end the comment it stands in, nor trip -Wcomment or trigraphs. */
export const comment = (text: string): string =>
  `/* ${text
    .replace(/\*\//g, '* /')
    .replace(/\/\*/g, '/ *')
    .replace(/\?\?/g, '? ?')
    .replace(/[\r\n]+/g, ' ')} */`;
