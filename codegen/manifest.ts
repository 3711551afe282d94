/**
 * The manifest as files: TypeScript that the user's compiler checks and JSON for everyone else; and how the addon that loads
 * the libraries is built. Same manifest, same bytes. ts-morph is imported on use, since that alone takes half a second.
 */
import type {Manifest} from '../runtime/manifest.js';

type Json = string | number | boolean | readonly Json[] | {readonly [key: string]: Json};

/** Text of `manifest.ts` and `manifest.json`. */
export async function writeManifest(manifest: Manifest): Promise<{readonly ts: string; readonly json: string}> {
  const {IndentationText, Project, QuoteKind, VariableDeclarationKind} = await import('ts-morph');
  const project = new Project({
    useInMemoryFileSystem: true,
    skipLoadingLibFiles: true,
    manipulationSettings: {
      indentationText: IndentationText.TwoSpaces,
      quoteKind: QuoteKind.Single,
      insertSpaceAfterOpeningAndBeforeClosingNonemptyBraces: false,
    },
  });
  const file = project.createSourceFile('manifest.ts');
  file.addImportDeclaration({isTypeOnly: true, namedImports: ['Manifest'], moduleSpecifier: 'dnnc/runtime'});
  const {name, version, sources} = manifest.generator;
  file.addVariableStatement({
    isExported: true,
    declarationKind: VariableDeclarationKind.Const,
    docs: [
      {
        description: comment(
          `Written by ${name} ${version}${sources.length > 0 ? ` from ${sources.join(', ')}` : ''}. Do not edit.`,
        ),
      },
    ],
    declarations: [{name: 'manifest', initializer: '{}'}],
  });
  // Not in the structure above: ts-morph would indent it once more.
  const initializer = `${literal(manifest as unknown as Json, 0)} as const satisfies Manifest`;
  file.getVariableDeclarationOrThrow('manifest').getInitializerOrThrow().replaceWithText(initializer);
  file.addExportAssignment({isExportEquals: false, expression: 'manifest'});
  return {ts: file.getFullText(), json: `${JSON.stringify(manifest, null, 2)}\n`};
}

/** File names may hold what would end a comment. */
const comment = (text: string): string => text.replaceAll('*/', '*\\/').replaceAll(/\s+/g, ' ');

/** Columns that a value may take on one line; what is longer gets a line per entry. */
const width = 120;

/** A value as a person would write it: short ones on one line, names without quotes. */
function literal(value: Json, indent: number, used = indent): string {
  const flat = oneLine(value);
  if (typeof value !== 'object' || used + flat.length <= width) return flat;
  const inner = indent + 2;
  const pad = ' '.repeat(inner);
  const [open, lines, close] = isList(value)
    ? ['[', filled(value, inner), ']']
    : [
        '{',
        Object.entries(value).map(([key, item]) => `${property(key)}: ${literal(item, inner, inner + key.length + 4)},`),
        '}',
      ];
  return `${open}\n${lines.map(line => `${pad}${line}\n`).join('')}${' '.repeat(indent)}${close}`;
}

/** Entries of a list: words and numbers fill lines (a thousand labels), everything else has lines of its own. */
function filled(list: readonly Json[], indent: number): string[] {
  if (list.some(item => typeof item === 'object')) return list.map(item => `${literal(item, indent, indent + 1)},`);
  const lines: string[] = [];
  for (const item of list) {
    const text = `${oneLine(item)},`;
    const last = lines.at(-1);
    if (last !== undefined && indent + last.length + 1 + text.length <= width) lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(text);
  }
  return lines;
}

function oneLine(value: Json): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(oneLine).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${property(key)}: ${oneLine(item)}`)
    .join(', ')}}`;
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

// `__proto__: x` would set the prototype; the computed form makes a property.
const property = (key: string): string =>
  key === '__proto__' ? `['__proto__']` : /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);

/** JSON escapes are those of TypeScript, but for the quotes. U+2028 and U+2029 may stand in strings since ES2019. */
const quoted = (text: string): string => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** The C sources of `loader.node`, relative to the package. */
export const loaderSources: readonly string[] = [
  'loader',
  'cpu',
  'library',
  'page',
  'entry',
  'async',
  'measure',
  'logistic',
  'product',
].map(part => `runtime/native/${part}.c`);

/**
 * Arguments of the C compiler (gcc or clang) that build the addon. `packageFolder` is the root of this package,
 * `headers` the folder of node_api.h: `require('node-api-headers').include_dir`.
 */
export function loaderArguments(
  packageFolder: string,
  headers: string,
  output: string,
  platform: string = process.platform,
): string[] {
  // Node's own symbols are found when it loads the addon; Apple's linker wants to be told.
  const undefinedSymbols = platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
  return [
    ...['-std=c11', '-O2', '-fPIC', '-shared', '-fvisibility=hidden', '-Wall', '-Wextra', '-Wpedantic', '-Wconversion'],
    '-ffp-contract=fast', // fits have no bits to keep
    ...undefinedSymbols,
    ...['-I', headers],
    ...loaderSources.map(source => `${packageFolder}/${source}`),
    ...['-lm', '-o', output],
  ];
}
