/** Who may import whom. Every rule is a sentence; its comment says why. `npm run rules` checks them. */

// An op may be written with these: arithmetic, folds, and the ops that only move values.
const building = 'common|elementwise|map|reduce|constant|reshape|transpose|slice|concat|expand|pad|gather';

// The ops that know another one besides, which has a kernel of its own or whose definition or geometry they share.
const writtenWith = {
  avgpool: ['maxpool'], // a window over an image, in the same three layouts
  causal_conv: ['conv2d'], // a convolution that looks back over zeros
  maxpool: ['conv2d', 'maxpool_indices'], // 1-d windows become 2-d ones as in a convolution; its second output
  maxpool_indices: ['scatter'], // unpooling puts elements into places
  conv2d: ['plain_conv'], // kernels that are not there when weights are packed
  conv_transpose: ['conv2d'], // the same operands, the other way round
  einsum: ['matmul'], // a product of matrices between two transposes
  matmul: ['linear'], // a product by a constant is a linear layer
  affine_grid: ['matmul'], // constant points times a map
  col2im: ['scatter'], // columns are added up where they overlap
  fourier: ['matmul', 'conv2d', 'plain_conv'], // sums with sines and cosines for weights
  deform_conv: ['grid_sample', 'matmul'], // a product of kernels and sampled pixels
  recurrent: ['matmul'], // gates are rows of one matrix product
  lppool: ['avgpool', 'maxpool'], // a root of an average of powers
  reduce: ['avgpool', 'maxpool'], // global pooling of ONNX is a pool or a reduction
};

// Contracted forms of ONNX, each of which turns into the ops that it stands for. Nothing is written with them.
const contracted = ['qlinear', 'attention', 'fused'];

const exceptions = [...Object.keys(writtenWith), ...contracted].join('|');

const product = '^(compiler|ir|passes|codegen|runtime)/';
const npm = name => `(^|/)node_modules/(@types/)?(${name})/`;
const builtIn = name => `^(node:)?(${name})(/|$)`;

module.exports = {
  forbidden: [
    {
      name: 'no-file-imports-itself-in-a-circle',
      comment: 'Files in a circle can only be understood, and loaded, all at once.',
      severity: 'error',
      from: {},
      to: {circular: true},
    },
    {
      name: 'every-import-exists',
      comment: 'A misspelt path or a package that is not installed. What dnnc writes is there once an example has run.',
      severity: 'error',
      from: {},
      to: {couldNotResolve: true, pathNot: '^dnnc(/|$)|/dnnc-out/'},
    },
    {
      name: 'packages-are-in-package-json',
      comment: 'What another package happens to install may be gone, or another version, tomorrow.',
      severity: 'error',
      from: {},
      to: {dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer']},
    },
    {
      name: 'the-product-needs-no-dev-dependency',
      comment: 'Users do not have them. onnxruntime-node is an optional peer besides.',
      severity: 'error',
      from: {path: product},
      to: {dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer'], pathNot: '(^|/)node_modules/@types/'},
    },
    {
      name: 'the-product-does-not-know-tests-and-examples',
      comment: 'They are not in the package.',
      severity: 'error',
      from: {path: product},
      to: {path: '^(test|examples)/'},
    },

    {
      name: 'the-product-does-not-know-the-cases-of-ops',
      comment: 'Inputs for tests lie beside the op that they test, and are not in the package either.',
      severity: 'error',
      from: {path: product, pathNot: '/cases[.]ts$'},
      to: {path: '/cases[.]ts$'},
    },

    {
      name: 'ir-imports-only-ir',
      comment:
        'What a program is does not depend on files, ONNX, C compilers or the runtime. Hashes need node:crypto, evaluation ndarray.',
      severity: 'error',
      from: {path: '^ir/'},
      to: {pathNot: ['^ir/', npm('ndarray'), builtIn('crypto')]},
    },
    {
      name: 'the-core-of-ir-knows-ops-by-the-registry',
      comment: 'A new op is a folder and a word in ir/ops/index.ts; nothing else in ir asks which op it is.',
      severity: 'error',
      from: {path: '^ir/[^/]+$'},
      to: {path: '^ir/ops/', pathNot: '^ir/ops/index[.]ts$'},
    },
    {
      name: 'ops-do-not-know-the-registry',
      comment: 'The registry imports every op.',
      severity: 'error',
      from: {path: '^ir/ops/[^/]+/'},
      to: {path: '^ir/ops/index[.]ts$'},
    },
    {
      name: 'ops-are-written-only-with-building-blocks',
      comment:
        'An op can then be read, changed and removed alone. The style guide has no op import another one; here many decompose into ' +
        'arithmetic and moves, and saying so with those ops is shorter than a copy. Other pairs stand in writtenWith above, with a reason.',
      severity: 'error',
      from: {path: '^ir/ops/([^/]+)/', pathNot: `^ir/ops/(${exceptions})/`},
      to: {path: '^ir/ops/[^/]+/', pathNot: ['^ir/ops/$1/', `^ir/ops/(${building})/`]},
    },
    ...Object.entries(writtenWith).map(([op, more]) => ({
      name: `${op}-is-written-only-with-building-blocks-and-${more.join('-and-')}`,
      comment: 'As above.',
      severity: 'error',
      from: {path: `^ir/ops/${op}/`},
      to: {path: '^ir/ops/[^/]+/', pathNot: `^ir/ops/(${op}|${building}|${more.join('|')})/`},
    })),

    {
      name: 'nothing-is-written-with-contracted-forms',
      comment: 'They know many ops; whoever knew them would know as many.',
      severity: 'error',
      from: {path: '^ir/ops/([^/]+)/'},
      to: {path: `^ir/ops/(${contracted.join('|')})/`, pathNot: '^ir/ops/$1/'},
    },

    {
      name: 'passes-import-only-ir',
      comment: 'A pass is a function from Module to Module. What it must know of a target comes as data.',
      severity: 'error',
      from: {path: '^passes/'},
      to: {pathNot: '^(ir|passes)/'},
    },
    {
      name: 'passes-do-not-know-each-other',
      comment:
        'Their order is argued about in compiler/pipeline.ts only; what two passes share is the framework or belongs into ir.',
      severity: 'error',
      from: {path: '^passes/([^/]+)/'},
      to: {path: '^passes/', pathNot: '^passes/(framework|$1)/'},
    },

    {
      name: 'codegen-imports-only-codegen-and-ir',
      comment: 'Plan to text, as pure functions. Types of the manifest are the contract that its text satisfies.',
      severity: 'error',
      from: {path: '^codegen/'},
      to: {pathNot: ['^(codegen|ir)/', '^runtime/manifest[.]ts$', npm('ts-morph')]},
    },
    {
      name: 'codegen-takes-only-types-of-the-manifest',
      comment: 'No code of the runtime runs in the compiler back end.',
      severity: 'error',
      from: {path: '^codegen/'},
      to: {path: '^runtime/', dependencyTypesNot: ['type-only']},
    },
    {
      name: 'only-codegen-writes-typescript',
      comment: 'ts-morph takes more than half a second to load.',
      severity: 'error',
      from: {pathNot: '^(codegen|test)/'},
      to: {path: npm('ts-morph')},
    },

    {
      name: 'runtime-imports-only-runtime',
      comment: 'It is shipped without the compiler and has no dependency.',
      severity: 'error',
      from: {path: '^runtime/'},
      to: {pathNot: '^runtime/', dependencyTypesNot: ['core']},
    },
    {
      name: 'only-the-edge-of-the-runtime-knows-node',
      comment: 'All but library.ts can run in a page or another engine.',
      severity: 'error',
      from: {path: '^runtime/', pathNot: '^runtime/library[.]ts$'},
      to: {dependencyTypes: ['core']},
    },
    {
      name: 'the-core-of-the-runtime-does-not-reach-its-edge',
      comment: 'Else the rule above would hold by name only. index.ts joins the two.',
      severity: 'error',
      from: {path: '^runtime/', pathNot: '^runtime/(index|library)[.]ts$'},
      to: {path: '^runtime/library[.]ts$', dependencyTypesNot: ['type-only']},
    },
    {
      name: 'the-runtime-never-reaches-code-made-of-strings',
      comment: 'ndarray and the reflection of protobufjs use new Function, which a page may forbid.',
      severity: 'error',
      from: {path: '^runtime/'},
      to: {path: npm('ndarray|protobufjs|onnx-proto'), reachable: true},
    },

    {
      name: 'the-scheduler-knows-no-session',
      comment: 'It decides from numbers alone: a device in the field, a page and a simulator bring their own.',
      severity: 'error',
      from: {path: '^runtime/schedule/'},
      to: {path: '^runtime/', pathNot: '^runtime/(schedule/|(check|errors|manifest)[.]ts$)'},
    },
    {
      name: 'the-simulator-knows-only-the-scheduler',
      comment: 'Nothing is run in a simulated day.',
      severity: 'error',
      from: {path: '^runtime/simulate/'},
      to: {path: '^runtime/', pathNot: '^runtime/(simulate/|schedule/|(check|errors)[.]ts$)'},
    },

    {
      name: 'contexts-are-arithmetic',
      comment: 'They follow answers, whoever gave them: of a session they know the types.',
      severity: 'error',
      from: {path: '^runtime/contexts/'},
      to: {path: '^runtime/', pathNot: '^runtime/(contexts/|(manifest|prior|session)[.]ts$)'},
    },
    {
      name: 'the-live-half-writes-what-the-simulator-replays',
      comment:
        'Of the simulator it knows the record and the sums of a day, so both halves have one format. Nobody below knows it.',
      severity: 'error',
      from: {path: '^runtime/live/'},
      to: {path: '^runtime/simulate/', pathNot: '^runtime/simulate/(record|tally)[.]ts$'},
    },
    {
      name: 'only-callers-know-the-live-half',
      comment: 'A session runs and a scheduler decides; what joins them stands above both.',
      severity: 'error',
      from: {path: '^runtime/', pathNot: '^runtime/live/'},
      to: {path: '^runtime/live/'},
    },

    {
      name: 'the-compiler-sees-the-face-of-the-runtime',
      comment: 'The index.ts, the types of the manifest, and errors.ts: to print an error needs no addon loader in memory.',
      severity: 'error',
      from: {path: '^compiler/'},
      to: {path: '^runtime/', pathNot: '^runtime/(index|manifest|errors|resize|schedule/index|simulate/index|live/index)[.]ts$'},
    },
    {
      name: 'only-the-importer-reads-protobuf',
      comment: 'All others see the plain model of compiler/onnx/model.ts. Tests write ONNX files.',
      severity: 'error',
      from: {pathNot: '^(compiler/onnx|test)/'},
      to: {path: npm('protobufjs|onnx-proto')},
    },
    {
      name: 'only-the-compiler-touches-disk-or-starts-programs',
      comment: 'All else is a function of its arguments, testable without files. The runtime has one edge, library.ts.',
      severity: 'error',
      from: {pathNot: ['^(compiler|examples|test)/', '^runtime/library[.]ts$']},
      to: {path: builtIn('fs|child_process')},
    },

    {
      name: 'examples-use-the-public-entry-points',
      comment: 'An example shows what a user can do.',
      severity: 'error',
      from: {path: '^examples/'},
      to: {
        path: '^(compiler|ir|passes|codegen|runtime)/',
        pathNot: '^(compiler|runtime(/schedule|/simulate|/wasm|/live)?)/index[.]ts$',
      },
    },
    {
      name: 'examples-do-not-need-tests',
      comment: 'They are read, and copied, without them.',
      severity: 'error',
      from: {path: '^examples/'},
      to: {path: '^test/'},
    },
  ],
  options: {
    doNotFollow: {path: 'node_modules'},
    exclude: {path: '^build/'},
    tsPreCompilationDeps: true, // else `import type` is invisible
    tsConfig: {fileName: 'tsconfig.json'},
    enhancedResolveOptions: {exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default']},
  },
};
