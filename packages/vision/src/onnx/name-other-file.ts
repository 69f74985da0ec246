// Names files that are given in the place of an ONNX file, from their first bytes.

const toOnnx = 'export it with `yolo export model=FILE.pt format=onnx`'
const fromPytorch = 'export the model from PyTorch to ONNX'

/** Tried on the first hundred bytes, read as latin1. */
const signatures: readonly [RegExp, string][] = [
  [/^(PK\x03\x04|\x80[\x02-\x05])/, `a PyTorch file or a ZIP archive: ${toOnnx}`],
  [/^.{4}TFL3/s, `a TensorFlow Lite model: ${fromPytorch}`],
  [/^\x89HDF/, `a Keras file: ${fromPytorch}`],
  [/^[pf]trt/, `a TensorRT engine: ${fromPytorch}`],
  [/^.{4}ORTM/s, 'a file in ORT format: give the .onnx file that it was made of'],
  [/^\s*<\?xml/, `an OpenVINO description, or another XML file: ${fromPytorch}`],
  [/^\s*<(!doctype )?html/i, 'a web page: the download may have failed'],
  [/^version https:\/\/git-lfs/, 'a pointer of Git LFS: run `git lfs pull`']
]

/** undefined where no known file begins in this way. */
export function nameOtherFile(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 100)).toString('latin1')
  return signatures.find(([pattern]) => pattern.test(head))?.[1]
}
