// Runs the float model over pictures and records the values of inner tensors.
import type { ModelManifest } from '../model/model-manifest.ts'
import * as ort from '../onnx-runtime.ts'
import { encodeModel, type OnnxModel } from '../onnx/onnx-proto.ts'
import { floatValues } from '../onnx/tensor-values.ts'
import { nodesBefore } from '../onnx/terminal-convolutions.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import { letterboxInto, placePicture } from '../picture/letterbox.ts'
import { addValues, createHistogram, type ValueHistogram } from './value-histogram.ts'

export interface CalibrateOptions {
  model: OnnxModel
  manifest: Pick<ModelManifest, 'inputName' | 'inputSize'>
  /** Names of the recorded tensors. */
  tensors: readonly string[]
  pictures: AsyncIterable<DecodedImage>
}

export async function calibrate({
  model,
  manifest,
  tensors,
  pictures
}: CalibrateOptions): Promise<Map<string, ValueHistogram>> {
  const { inputName, inputSize: canvas } = manifest
  const histograms = new Map(tensors.map((name) => [name, createHistogram()]))
  const inner = tensors.filter((name) => name !== inputName)
  const session = await ort.InferenceSession.create(encodeInside(model, inputName, inner), {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    logSeverityLevel: 3
  })
  try {
    for await (const picture of pictures) {
      const pixels = new Float32Array(3 * canvas.width * canvas.height)
      letterboxInto(pixels, picture, canvas, placePicture(picture, canvas))
      const results = await session.run({
        [inputName]: new ort.Tensor('float32', pixels, [1, 3, canvas.height, canvas.width])
      })
      for (const [name, histogram] of histograms)
        addValues(histogram, name === inputName ? pixels : floatValues(results[name]!))
    }
  } finally {
    await session.release()
  }
  return histograms
}

/** Encodes only the nodes that `tensors` are made of. */
function encodeInside(model: OnnxModel, inputName: string, tensors: readonly string[]): Uint8Array {
  const { graph } = model
  const part = {
    ...graph,
    node: nodesBefore(graph, tensors),
    input: graph.input.filter(({ name }) => name === inputName),
    output: tensors.map((name) => ({ name })),
    valueInfo: []
  }
  return encodeModel({ ...model, graph: part })
}
