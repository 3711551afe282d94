#!/bin/sh
# Compiles a network to C, links it with main.c, and asks it about a picture. CC, CFLAGS and the folder OUT may be set.
#
#     sh examples/01-c-program/run.sh          the weights are a file beside the program
#     sh examples/01-c-program/run.sh c        the weights are inside the program
set -eu
cd "$(dirname "$0")/../.."
weights=${1:-blob}
out=${OUT:-dnnc-out/c-program}/$weights

node build/compiler/main.js build --config examples/signs/dnnc.config.json \
  --task number=examples/signs/models/sign-number.onnx --name sign --target generic --weights "$weights" -o "$out/sign"
node build/examples/signs/picture.js --number 70 --weather rain --out "$out/picture.rgb"

if [ "$weights" = c ]; then
  ${CC:-cc} -std=c11 ${CFLAGS:--O3} -DEMBEDDED -I "$out/sign" -o "$out/program" \
    examples/01-c-program/main.c "$out/sign/sign.c" "$out/sign/sign_weights.c" -lm
  "$out/program" "$out/picture.rgb"
else
  ${CC:-cc} -std=c11 ${CFLAGS:--O3} -I "$out/sign" -o "$out/program" examples/01-c-program/main.c "$out/sign/sign.c" -lm
  "$out/program" "$out/sign/sign.weights" "$out/picture.rgb"
fi
