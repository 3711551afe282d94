/** Makefile and CMakeLists.txt of a build: compile it as it stands, without dnnc. */
import {commonFlags, type Target} from './targets/index.js';

export type ProjectFacts = {
  readonly name: string;
  /** C files, in order, with the target of each. */
  readonly sources: readonly {readonly file: string; readonly target: Target}[];
  /** C files that every library contains besides its own: the embedded weights. */
  readonly shared: readonly string[];
};

export const libraryFile = (name: string, {name: target, format}: Target): string =>
  `${name}.${target}.${format === 'wasm' ? 'wasm' : 'so'}`;

/** How one library is made in the folder of the build: runs of the C compiler, and files that are not needed any more then. */
export type Commands = {readonly runs: readonly (readonly string[])[]; readonly left: readonly string[]};

export function libraryCommands(
  name: string,
  source: string,
  target: Target,
  shared: readonly string[],
  extra: readonly string[] = [],
): Commands {
  const flags = [...commonFlags, ...target.flags, ...extra];
  const library = libraryFile(name, target);
  if (target.format === 'shared')
    return {runs: [[...flags, '-fPIC', '-shared', '-o', library, source, ...shared, '-lm']], left: []};
  const objects = objectsOf([source, ...shared]);
  return {
    runs: [...objects.map(({file, object}) => [...flags, '-c', '-o', object, file]), linkModule(library, objects)],
    left: objects.map(({object}) => object),
  };
}

type Objects = readonly {readonly file: string; readonly object: string}[];

const objectsOf = (sources: readonly string[]): Objects => sources.map(file => ({file, object: `${file.replace(/\.c$/, '')}.o`}));

/**
 * Linking is a run of its own, without -O: with it clang would hand the module to any wasm-opt that it finds. The stack lies
 * first, so that an overflow is a trap.
 */
const linkModule = (library: string, objects: Objects): readonly string[] => [
  ...['--target=wasm32', '-nostdlib', '-Wl,--no-entry', '-Wl,--export-dynamic', '-Wl,--export=__heap_base'],
  ...['-Wl,--strip-all', '-Wl,--stack-first', '-Wl,-z,stack-size=262144'],
  ...['-o', library, ...objects.map(({object}) => object)],
];

export function makefile({name, sources, shared}: ProjectFacts): string {
  const libraries = sources.map(({target}) => libraryFile(name, target)).join(' ');
  const rules = sources.map(({file, target}) => {
    const files = [file, ...shared];
    const lines =
      target.format === 'shared'
        ? [`$(CC) $(CFLAGS) ${target.flags.join(' ')} -fPIC -shared -o $@ ${files.join(' ')} -lm`]
        : moduleLines(files, target);
    const headers = ['$(wildcard kernels/*.h)', ...(target.headers ?? []).map(header => `kernels/${header}`)];
    return `${libraryFile(name, target)}: ${[...files, `${name}.h`, ...headers].join(' ')}\n${lines.map(line => `\t${line}\n`).join('')}`;
  });
  const hasModule = sources.some(({target}) => target.format === 'wasm');
  return `# Written by dnnc. \`make\` builds the libraries; a program may as well compile ${sources.map(({file}) => file).join(', ')} itself.
CFLAGS = ${commonFlags.join(' ')}
${hasModule ? '# WebAssembly: clang, and wasm-ld of lld.\nWASM_CC = clang\n' : ''}
all: ${libraries}

${rules.join('\n')}
clean:
\trm -f ${libraries}

.PHONY: all clean
`;
}

function moduleLines(files: readonly string[], {flags}: Target): readonly string[] {
  const objects = objectsOf(files);
  return [
    ...objects.map(({file, object}) => `$(WASM_CC) $(CFLAGS) ${flags.join(' ')} -c -o ${object} ${file}`),
    `$(WASM_CC) ${linkModule('$@', objects).join(' ')}`,
    `rm -f ${objects.map(({object}) => object).join(' ')}`,
  ];
}

/** Modules of WebAssembly are left to the Makefile: in CMake another compiler is another project. */
export function cmakeLists({name, sources, shared}: ProjectFacts): string {
  const modules = sources.filter(({target}) => target.format === 'wasm').map(({target}) => libraryFile(name, target));
  const native = sources.filter(({target}) => target.format === 'shared');
  const libraries = native.map(({file, target}) => {
    const id = native.length === 1 ? name : `${name}_${target.name.replace(/\W/g, '_')}`;
    return `add_library(${id} ${[file, ...shared].join(' ')})
target_include_directories(${id} PUBLIC \${CMAKE_CURRENT_SOURCE_DIR})
target_compile_options(${id} PRIVATE ${[...commonFlags.filter(flag => !flag.startsWith('-std')), ...target.flags].join(' ')})
set_target_properties(${id} PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
target_link_libraries(${id} PUBLIC m)
`;
  });
  const elsewhere = modules.map(file => `# ${file} is built by the Makefile: make ${file}\n`).join('');
  return `# Written by dnnc.\n${elsewhere}cmake_minimum_required(VERSION 3.13)\nproject(${name} C)\n\n${libraries.join('\n')}`;
}
