/** Makefile and CMakeLists.txt of a build: compile it as it stands, without dnnc. */
import {commonFlags, type Target} from './targets/index.js';

export type ProjectFacts = {
  readonly name: string;
  /** C files, in order, with the target of each. */
  readonly sources: readonly {readonly file: string; readonly target: Target}[];
  /** C files that every library contains besides its own: the embedded weights. */
  readonly shared: readonly string[];
};

export const libraryFile = (name: string, target: Target): string => `${name}.${target.name}.so`;

/** Arguments for cc that build one library in the folder of the build. */
export const libraryArguments = (
  name: string,
  source: string,
  target: Target,
  shared: readonly string[],
  extra: readonly string[] = [],
): readonly string[] => [
  ...commonFlags,
  ...target.flags,
  ...extra,
  '-fPIC',
  '-shared',
  '-o',
  libraryFile(name, target),
  source,
  ...shared,
  '-lm',
];

export function makefile({name, sources, shared}: ProjectFacts): string {
  const rules = sources.map(({file, target}) => {
    const library = libraryFile(name, target);
    return `${library}: ${[file, ...shared].join(' ')} ${name}.h $(wildcard kernels/*.h)
\t$(CC) $(CFLAGS) ${target.flags.join(' ')} -fPIC -shared -o $@ ${[file, ...shared].join(' ')} -lm
`;
  });
  return `# Written by dnnc. \`make\` builds the shared libraries; a program may as well compile ${sources.map(({file}) => file).join(', ')} itself.
CFLAGS = ${commonFlags.join(' ')}

all: ${sources.map(({target}) => libraryFile(name, target)).join(' ')}

${rules.join('\n')}
clean:
\trm -f ${sources.map(({target}) => libraryFile(name, target)).join(' ')}

.PHONY: all clean
`;
}

export function cmakeLists({name, sources, shared}: ProjectFacts): string {
  const libraries = sources.map(({file, target}) => {
    const id = sources.length === 1 ? name : `${name}_${target.name.replace(/\W/g, '_')}`;
    return `add_library(${id} ${[file, ...shared].join(' ')})
target_include_directories(${id} PUBLIC \${CMAKE_CURRENT_SOURCE_DIR})
target_compile_options(${id} PRIVATE ${[...commonFlags.filter(flag => !flag.startsWith('-std')), ...target.flags].join(' ')})
set_target_properties(${id} PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
target_link_libraries(${id} PUBLIC m)
`;
  });
  return `# Written by dnnc.\ncmake_minimum_required(VERSION 3.13)\nproject(${name} C)\n\n${libraries.join('\n')}`;
}
