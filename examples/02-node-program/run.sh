#!/bin/sh
# Compiles the four networks of ../signs, then the program against their manifest, and asks it about a picture.
set -eu
cd "$(dirname "$0")"
root=../..

node $root/build/compiler/main.js build --config ../signs/dnnc.config.json -o dnnc-out/signs
node $root/build/examples/signs/picture.js --shape octagon --number 70 --weather rain --out dnnc-out/picture.rgb
node $root/node_modules/typescript/bin/tsc -p .
node dnnc-out/program/main.js dnnc-out/picture.rgb
