/** The words of the text form, and where in the text they stand. */

export type Token = {readonly text: string; readonly at: number};

export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = /\/\/[^\n]*|\s+|[%@]?"(?:[^"\\]|\\.)*"|[%@][\w.:/-]+|-?[\w.]+(?:[-+][\w.]+)*|[^\s]/g;
  for (const match of text.matchAll(pattern)) {
    const [word] = match;
    if (!word.startsWith('//') && word.trim() !== '') tokens.push({text: word, at: match.index});
  }
  return tokens;
}

export type Place = {readonly line: number; readonly column: number; readonly source: string};

/** Line and column, from 1, of a position, and the line itself. */
export function placesIn(text: string): (position: number) => Place {
  const starts = [0, ...Array.from(text.matchAll(/\n/g), match => match.index + 1)];
  return position => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= position) low = middle;
      else high = middle;
    }
    const start = starts[low]!;
    return {line: low + 1, column: position - start + 1, source: text.slice(start, (starts[low + 1] ?? text.length + 1) - 1)};
  };
}
