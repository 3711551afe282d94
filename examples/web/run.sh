#!/bin/sh
# Draws labelled pictures, compiles the networks of ../signs to WebAssembly with cheaper variants, and serves the page.
set -eu
cd "$(dirname "$0")"
root=../..
models=../signs/models

mkdir -p dnnc-out
node $root/build/examples/signs/data.js --count 600 --seed 7 --out dnnc-out/evaluate.npz
node $root/build/examples/signs/data.js --count 400 --seed 107 --out dnnc-out/calibrate.npz
node $root/build/compiler/main.js build --config ../signs/dnnc.config.json --target wasm32 -o dnnc-out/signs \
  --task shape=$models/sign-shape.onnx --task colour=$models/sign-colour.onnx --task weather=$models/weather.onnx \
  --task number=$models/sign-number.onnx --task number=$models/number-compact.onnx \
  --recipe lowrank:0.4 --calibrate dnnc-out/calibrate.npz --evaluate dnnc-out/evaluate.npz
node $root/build/examples/web/serve.js
