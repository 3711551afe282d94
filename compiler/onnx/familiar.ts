/** Recognizes files that people hand over instead of an ONNX model, to say what they are. */

type Familiar = {readonly is: string; readonly cure: string};

const magics: readonly (readonly [start: string, is: string, cure: string])[] = [
  ['version https://git-lfs', 'a git-lfs pointer', 'fetch the file itself with `git lfs pull`'],
  [
    'PK\x03\x04',
    'a zip archive (PyTorch and Keras save like this)',
    'export with torch.onnx.export or tf2onnx; unpack a zipped .onnx',
  ],
  ['\x1f\x8b', 'gzip data', 'unpack it with gunzip'],
  ['\x89HDF', 'an HDF5 file (Keras)', 'convert it with tf2onnx'],
  ['\x93NUMPY', 'a NumPy array', 'give the .onnx file as the model and the array with --input'],
  ['\x80\x02', 'a Python pickle (old PyTorch)', 'export with torch.onnx.export'],
  ['ORTM', "onnxruntime's own format", 'give the .onnx file that it was made from'],
];

/** null when nothing familiar is found; that does not mean that it is ONNX. */
export function familiarFormat(bytes: Uint8Array): Familiar | null {
  const head = String.fromCharCode(...bytes.subarray(0, 512));
  for (const [start, is, cure] of magics) if (head.startsWith(start)) return {is, cure};
  const again = 'write or download the model again';
  if (head.slice(4, 8) === 'TFL3') return {is: 'a TensorFlow Lite model', cure: 'convert it with tf2onnx --tflite'};
  if (head.slice(4, 8) === 'ORTM') return {is: "onnxruntime's own format", cure: 'give the .onnx file that it was made from'};
  if (/^\s*<(!doctype|html|\?xml|head)/i.test(head))
    return {is: 'a web page', cure: 'download the file itself, not the page about it'};
  if (/^\s*ir_version\s*:/.test(head)) return {is: 'ONNX in text form', cure: 'save it in binary form with onnx.save'};
  // An ONNX file starts with the bytes 08 and its IR version, which no text holds.
  if (/^[\t\n\r\x20-\x7e]+$/.test(head)) return {is: 'text', cure: again};
  if (/^\0+$/.test(head)) return {is: 'a run of zero bytes', cure: again};
  return null;
}
