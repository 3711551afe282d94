/** The one .c file of a plan, and its header. Reads as written by a careful person: sources, sizes, the IR above each call. */
import {showLoc} from '../../ir/diagnostics.js';
import {alignment, type Entry, everyEntry, type Plan, type View} from '../../ir/plan.js';
import {elements, widthOf} from '../../ir/tensor.js';
import type {Chooser} from '../kernels/ways.js';
import type {Target} from '../targets/index.js';
import {blobAlignment, formatVersion, headerBytes, type Layout} from '../weights.js';
import {cTypes} from './expression.js';
import {functionOf} from './functions.js';
import {ownName, type StaticFunction} from './loops.js';
import {comment, identifier} from './writer.js';

export type ModuleText = {
  readonly source: string;
  readonly header: string;
  /** Kernel headers that the source includes directly, and those that its target needs besides. */
  readonly headers: readonly string[];
};

export type ModuleFacts = {
  readonly plan: Plan;
  readonly target: Target;
  readonly layout: Layout;
  /** `dnnc 0.1.0`, and the files that it read. */
  readonly generator: string;
  readonly sources: readonly string[];
  /** 32 hex digits that tie code and weights together. */
  readonly hash: string;
  readonly chooseTile: Chooser['tile'];
  /** The weights are an array in the program (`--weights c`), not a file. */
  readonly embedded: boolean;
};

/** The names of an entry's C functions and parameters. */
type Names = {readonly task: string; readonly roots: readonly string[]};

export function emitModule(facts: ModuleFacts): ModuleText {
  const {plan, target, generator, sources} = facts;
  const prefix = prefixOf(plan.name);
  const upper = prefix.toUpperCase();
  const functions = new Map<string, {name: string; function: StaticFunction}>();
  const entryNames = namesOf(plan);
  // A parameter of the same name would hide a function.
  const taken = new Set(entryNames.flatMap(({roots}) => roots));
  const hasCuts = plan.segments.length > 0;
  const headers = new Set<string>(hasCuts ? ['exit_f32.h'] : []);
  const bodies = everyEntry(plan).map((entry, i) => {
    const calls = entry.steps.map((step, at) => {
      const made = functionOf(step.work, target.features, facts.chooseTile);
      const known = functions.get(made.text);
      const name = known?.name ?? identifier(numbered(made.stem, taken), taken);
      if (!known) functions.set(made.text, {name, function: made});
      for (const header of made.headers) headers.add(headerName(header));
      const args = made.args.flatMap(view => (view ? [pointer(view, entry, i, entryNames[i]!, facts)] : []));
      const title = step.text === '' ? '' : `  ${comment(step.text)}\n  ${comment(showLoc(step.loc))}\n`;
      return `${title}  ${name}(${args.join(', ')});\n  DNNC_AFTER(${at});\n`;
    });
    return `static void ${prefix}_${entryNames[i]!.task}_body(const unsigned char *weights, unsigned char *arena${typedParams(entry, entryNames[i]!)} DNNC_HOOK) {
  (void)weights;
  (void)arena;
  DNNC_AFTER(-1);
${calls.join('\n')}}

${entryFunctions(prefix, entry, entryNames[i]!)}`;
  });
  const definitions = [...functions.values()].map(({name, function: made}) => made.text.replaceAll(ownName, name));
  const source = `${comment(`${plan.name} for ${target.name}, written by ${generator} from ${sources.join(', ')}. Do not edit.`)}
#include "${prefix}.h"

#if !(${target.guard})
#error "compile this file for ${target.name}: ${target.flags.join(' ') || 'no flags needed'}"
#endif

${[...headers]
  .sort()
  .map(header => `#include "kernels/${header}"`)
  .join('\n')}
#include <string.h>

#ifdef DNNC_TRACE
#define DNNC_HOOK , void (*after)(void *user, int step), void *user
#define DNNC_AFTER(step) after(user, step)
#define DNNC_NO_HOOK , ${prefix}_nothing, 0
static void ${prefix}_nothing(void *user, int step) {
  (void)user;
  (void)step;
}
#else
#define DNNC_HOOK
#define DNNC_AFTER(step) (void)(step)
#define DNNC_NO_HOOK
#endif

${blobFunctions(prefix, upper)}${hasCuts ? exitFunctions(prefix, upper) : ''}
${definitions.join('\n')}
${bodies.join('\n')}`;
  return {source, header: emitHeader(facts, prefix, upper, entryNames), headers: [...headers, ...(target.headers ?? [])].sort()};
}

/** `NAME_weights.c`: the blob as an array, for programs that keep everything in one image or in flash. */
export function emitWeights(name: string, blob: Uint8Array, generator: string): string {
  const prefix = prefixOf(name);
  const words = new Uint32Array(blob.buffer, blob.byteOffset, blob.byteLength / 4);
  const lines: string[] = [];
  for (let at = 0; at < words.length; at += 10)
    lines.push(`  ${Array.from(words.subarray(at, at + 10), word => `0x${word.toString(16)}u`).join(', ')},`);
  return `${comment(`The weights of ${name}, written by ${generator}. Do not edit. Little-endian machines only: ${prefix}_open checks it.`)}
#include "${prefix}.h"

__attribute__((aligned(${blobAlignment}))) const uint32_t ${prefix}_blob[${prefix.toUpperCase()}_WEIGHTS_BYTES / 4] = {
${lines.join('\n')}
};
`;
}

export const prefixOf = (name: string): string => identifier(name, new Set());

/** Names of the uniform entries of a plan's tasks and segments, in the order of `everyEntry`. */
export const invokeNames = (plan: Plan): readonly string[] =>
  namesOf(plan).map(({task}) => `${prefixOf(plan.name)}_${task}_invoke`);

/** A header of an op's folder takes the op's name. */
export const headerName = (header: string): string =>
  header.endsWith('/kernel.h') ? `${header.slice(0, -'/kernel.h'.length)}.h` : header;

/** conv2d_1, conv2d_2, ... */
function numbered(stem: string, taken: ReadonlySet<string>): string {
  let i = 1;
  while (taken.has(`${stem}_${i}`)) i++;
  return `${stem}_${i}`;
}

function namesOf(plan: Plan): readonly Names[] {
  const tasks = new Set<string>([
    'open',
    'check',
    'weights',
    'blob',
    'word',
    'damaged',
    'header',
    'nothing',
    'exit',
    'exit_check',
  ]);
  return everyEntry(plan).map(entry => {
    const taken = new Set(['weights', 'arena', 'after', 'user', 'in', 'out']);
    return {
      task: identifier(entry.name, tasks),
      roots: entry.roots.map(({kind, name}) => (kind === 'input' || kind === 'output' ? identifier(name, taken) : '')),
    };
  });
}

function pointer(view: View, entry: Entry, index: number, names: Names, {plan, layout}: ModuleFacts): string {
  const root = entry.roots[view.root]!;
  const type = cTypes[view.dtype];
  const bytes = view.offset * widthOf(view.dtype);
  switch (root.kind) {
    case 'arena':
      return `(${type} *)(arena + ${(plan.memory?.offsets[index]?.[view.root] ?? 0) + bytes})`;
    case 'weights':
      return `(const ${type} *)(weights + ${layout.offsetOf(root.weight) + bytes})`;
    case 'input':
    case 'output':
      return view.offset === 0 ? names.roots[view.root]! : `${names.roots[view.root]} + ${view.offset}`;
    default:
      return root satisfies never;
  }
}

function typedParams(entry: Entry, names: Names): string {
  const one = (root: number, qualifier: string): string => {
    const info = entry.roots[root]!;
    const type = info.kind === 'input' || info.kind === 'output' ? cTypes[info.type.dtype] : 'void';
    return `, ${qualifier}${type} *${names.roots[root]}`;
  };
  return [...entry.inputs.map(root => one(root, 'const ')), ...entry.outputs.map(root => one(root, ''))].join('');
}

function entryFunctions(prefix: string, entry: Entry, names: Names): string {
  const plain = [...entry.inputs, ...entry.outputs].map(root => `, ${names.roots[root]}`).join('');
  const cast = (root: number, from: string, qualifier: string, i: number): string => {
    const info = entry.roots[root]!;
    return `, (${qualifier}${info.kind === 'input' || info.kind === 'output' ? cTypes[info.type.dtype] : 'void'} *)${from}[${i}]`;
  };
  const unpacked = [
    ...entry.inputs.map((root, i) => cast(root, 'in', 'const ', i)),
    ...entry.outputs.map((root, i) => cast(root, 'out', '', i)),
  ].join('');
  const name = `${prefix}_${names.task}`;
  return `void ${name}(const ${prefix}_weights *weights, void *arena${typedParams(entry, names)}) {
  ${name}_body(weights->data, (unsigned char *)arena${plain} DNNC_NO_HOOK);
}

int ${name}_invoke(const void *weights, void *arena, const void *const *in, void *const *out) {
  (void)in;
  ${name}_body((const unsigned char *)weights, (unsigned char *)arena${unpacked} DNNC_NO_HOOK);
  return ${prefix.toUpperCase()}_OK;
}

#ifdef DNNC_TRACE
int ${name}_trace(const void *weights, void *arena, const void *const *in, void *const *out, void (*after)(void *user, int step), void *user) {
  (void)in;
  ${name}_body((const unsigned char *)weights, (unsigned char *)arena${unpacked}, after, user);
  return ${prefix.toUpperCase()}_OK;
}
#endif
`;
}

function blobFunctions(prefix: string, upper: string): string {
  return `/* A 32-bit word of the blob, which is little-endian. */
static uint32_t ${prefix}_word(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Eight lanes over words: see the checksum in the header of the blob. */
static int ${prefix}_damaged(const unsigned char *blob, size_t bytes) {
  uint32_t lanes[8];
  uint32_t low = 0, high = 0;
  for (uint32_t i = 0; i < 8; i++) lanes[i] = 0x9e3779b1u * (i + 1);
  for (size_t at = ${headerBytes}; at < bytes; at += 32)
    for (int i = 0; i < 8; i++) {
      const uint32_t mixed = (lanes[i] ^ ${prefix}_word(blob + at + 4 * i)) * 0x85ebca6bu;
      lanes[i] = mixed ^ mixed >> 15;
    }
  for (int i = 0; i < 8; i++) {
    low = (low ^ lanes[i]) * 0xc2b2ae35u;
    low ^= low >> 13;
    high = (high ^ lanes[7 - i]) * 0x27d4eb2fu;
    high ^= high >> 16;
  }
  return low != ${prefix}_word(blob + 40) || high != ${prefix}_word(blob + 44);
}

static int ${prefix}_header(const unsigned char *p, const char *magic, size_t bytes) {
  static const unsigned char hash[16] = ${upper}_BUILD_HASH;
  if (bytes < ${headerBytes}) return ${upper}_ERROR_TRUNCATED;
  if (memcmp(p, magic, 8) != 0) return ${upper}_ERROR_NOT_A_BLOB;
  if (${prefix}_word(p + 8) != ${formatVersion}) return ${upper}_ERROR_FORMAT;
  if (${prefix}_word(p + 12) != 0x01020304u) return ${upper}_ERROR_BYTE_ORDER;
  if (memcmp(p + 16, hash, 16) != 0) return ${upper}_ERROR_OTHER_BUILD;
  return (uintptr_t)p % ${upper}_WEIGHTS_ALIGN == 0 ? ${upper}_OK : ${upper}_ERROR_MISALIGNED;
}

int ${prefix}_check(const void *blob, size_t bytes) {
  const unsigned char *p = (const unsigned char *)blob;
  const int error = ${prefix}_header(p, "dnncblob", bytes);
  if (error != ${upper}_OK && error != ${upper}_ERROR_MISALIGNED) return error;
  if (bytes < ${upper}_WEIGHTS_BYTES) return ${upper}_ERROR_TRUNCATED;
  if (error != ${upper}_OK) return error;
  return ${prefix}_damaged(p, ${upper}_WEIGHTS_BYTES) ? ${upper}_ERROR_DAMAGED : ${upper}_OK;
}

int ${prefix}_open(const void *blob, size_t bytes, ${prefix}_weights *out) {
  const int error = ${prefix}_check(blob, bytes);
  out->data = error == ${upper}_OK ? (const unsigned char *)blob : 0;
  return error;
}
`;
}

/** What runs heads that are fitted after the build. */
function exitFunctions(prefix: string, upper: string): string {
  return `
int ${prefix}_exit_check(const void *head, size_t bytes) {
  const unsigned char *p = (const unsigned char *)head;
  const int error = ${prefix}_header(p, "dnncexit", bytes);
  if (error != ${upper}_OK) return error;
  const size_t size = ${prefix}_word(p + 32);
  if (bytes < size || size < ${2 * headerBytes}) return ${upper}_ERROR_TRUNCATED;
  if (${prefix}_damaged(p, size / ${headerBytes} * ${headerBytes})) return ${upper}_ERROR_DAMAGED;
  return exit_bytes((const int32_t *)(p + ${headerBytes})) + ${headerBytes} == size ? ${upper}_OK : ${upper}_ERROR_DAMAGED;
}

int ${prefix}_exit(const void *head, void *arena, const void *const *in, void *const *out) {
  const unsigned char *p = (const unsigned char *)head + ${headerBytes};
  (void)arena;
  exit_f32((const int32_t *)p, (const float *)(p + ${headerBytes}), (const float *)in[0], (float *)out[0]);
  return ${upper}_OK;
}
`;
}

function emitHeader(
  {plan, embedded, generator, sources, layout, hash}: ModuleFacts,
  prefix: string,
  upper: string,
  names: readonly Names[],
): string {
  const bytes = (hash.match(/../g) ?? []).map(byte => `0x${byte}`).join(', ');
  const entries = everyEntry(plan).map((entry, i) => {
    const describe = (root: number): string => {
      const info = entry.roots[root]!;
      if (info.kind !== 'input' && info.kind !== 'output') return '';
      return ` *   ${names[i]!.roots[root]}: ${cTypes[info.type.dtype]}[${elements(info.type.shape)}], shape [${info.type.shape.join('][')}] (${info.kind} ${JSON.stringify(info.name).replaceAll('*/', '* /')})\n`;
    };
    const name = `${prefix}_${names[i]!.task}`;
    const macs = entry.steps.reduce((sum, step) => sum + step.macs, 0);
    const kind = plan.segments.includes(entry) ? 'Segment' : 'Task';
    return `/* ${kind} ${entry.name.replaceAll('*/', '* /')}: ${macs} multiply-accumulates.
${[...entry.inputs, ...entry.outputs].map(describe).join('')} */
void ${name}(const ${prefix}_weights *weights, void *arena${typedParams(entry, names[i]!)});

/* The same for loaders: \`weights\` is a checked blob. Returns ${upper}_OK. */
int ${name}_invoke(const void *weights, void *arena, const void *const *in, void *const *out);
#ifdef DNNC_TRACE
/* Calls \`after\` with -1 first and then with the index of each step. */
int ${name}_trace(const void *weights, void *arena, const void *const *in, void *const *out, void (*after)(void *user, int step), void *user);
#endif
`;
  });
  return `/* ${plan.name}, written by ${generator} from ${sources.join(', ').replaceAll('*/', '* /')}. Do not edit.
 *
 * The caller supplies everything: the weights (${prefix}.weights, read or mapped, read-only, shared by all threads), one arena
 * per thread, inputs and outputs. Nothing is allocated and nothing is global. */
#ifndef ${upper}_H
#define ${upper}_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ${upper}_WEIGHTS_BYTES ${layout.bytes}u
#define ${upper}_WEIGHTS_ALIGN ${blobAlignment}u
#define ${upper}_ARENA_BYTES ${Math.max(plan.memory?.bytes ?? 0, alignment)}u
#define ${upper}_ARENA_ALIGN ${alignment}u
#define ${upper}_BUILD_HASH {${bytes}}

enum {
  ${upper}_OK = 0,
  ${upper}_ERROR_TRUNCATED = 1,   /* fewer bytes than the weights of this build have */
  ${upper}_ERROR_NOT_A_BLOB = 2,  /* not a file of weights */
  ${upper}_ERROR_FORMAT = 3,      /* another version of the format */
  ${upper}_ERROR_BYTE_ORDER = 4,  /* the other byte order */
  ${upper}_ERROR_OTHER_BUILD = 5, /* weights of another build */
  ${upper}_ERROR_DAMAGED = 6,     /* the checksum does not fit */
  ${upper}_ERROR_MISALIGNED = 7   /* not at a multiple of ${upper}_WEIGHTS_ALIGN */
};

/* Weights that were checked. */
typedef struct {
  const unsigned char *data;
} ${prefix}_weights;

/* Checks a blob of weights and, if it is right, makes it usable: it must stay where it is. Returns ${upper}_OK or an error. */
int ${prefix}_open(const void *blob, size_t bytes, ${prefix}_weights *out);
int ${prefix}_check(const void *blob, size_t bytes);
${embedded ? `\n/* The weights, from ${prefix}_weights.c. */\nextern const uint32_t ${prefix}_blob[${upper}_WEIGHTS_BYTES / 4];\n` : ''}
${entries.join('\n')}${plan.segments.length > 0 ? exitPrototypes(prefix, upper) : ''}
#ifdef __cplusplus
}
#endif

#endif
`;
}

const exitPrototypes = (prefix: string, upper: string): string => `
/* Heads that were fitted after the build, each from a file of its own that names its cut: from the tensor there, in[0], to
 * scores, out[0]. \`head\` is the file, checked, at a multiple of ${upper}_WEIGHTS_ALIGN; \`arena\` may be null. */
int ${prefix}_exit_check(const void *head, size_t bytes);
int ${prefix}_exit(const void *head, void *arena, const void *const *in, void *const *out);
`;
