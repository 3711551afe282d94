/** The text of an Einsum: `ij,jk->ik`, with `...` for axes without a name, and a result that may be left out. */

export type Equation = {readonly operands: readonly (readonly string[])[]; readonly result: readonly string[]};

/** Labels of each axis; those under `...` are numbered from the last. null where the text does not fit the ranks. */
export function parseEquation(text: string, ranks: readonly number[]): Equation | null {
  const [left, right, ...more] = text.replace(/\s/g, '').split('->');
  const terms = left?.split(',') ?? [];
  if (more.length > 0 || terms.length !== ranks.length) return null;
  const widths = terms.map((term, i) => (term.includes('...') ? ranks[i]! - (term.length - 3) : 0));
  if (widths.some(width => width < 0)) return null;
  const widest = Math.max(...widths);
  const operands = terms.map((term, i) => labelsOf(term, widths[i]!));
  if (operands.some((labels, i) => labels === null || labels.length !== ranks[i])) return null;
  const known = operands.flatMap(labels => labels ?? []);
  const result = right === undefined ? implied(known, widest) : labelsOf(right, widest);
  if (!result || new Set(result).size !== result.length || !result.every(label => known.includes(label))) return null;
  return {operands: operands.map(labels => labels ?? []), result};
}

function labelsOf(term: string, width: number): readonly string[] | null {
  const [before = '', after, ...more] = term.split('...');
  if (more.length > 0 || !/^[A-Za-z]*$/.test(before + (after ?? ''))) return null;
  return after === undefined ? [...before] : [...before, ...unnamed(width), ...after];
}

const unnamed = (width: number): readonly string[] => Array.from({length: width}, (_, i) => `.${width - i}`);

/** What is under `...`, then the labels that occur once, in alphabetical order. */
function implied(known: readonly string[], widest: number): readonly string[] {
  const once = known.filter(label => !label.startsWith('.') && known.filter(other => other === label).length === 1);
  return [...unnamed(widest), ...once.sort()];
}
