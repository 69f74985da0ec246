// Runs the embedder beside the detector on boxes of a picture.
import { appError, messageOf } from '@likeness/shared/errors'
import * as ort from '../onnx-runtime.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import type { Box } from '../picture/letterbox.ts'
import { createSpareCanvases } from '../picture/spare-canvases.ts'
import { cosine } from '../runtime/cosine.ts'
import { type LogFn, openSession } from '../runtime/session.ts'
import { cropsInto } from './crop-tensor.ts'
import type { SemanticModel } from './semantic-model.ts'

export interface SemanticEmbedder {
  /**
   * f32 [dim] of unit length for each box (picture pixels); zeros where the embedder's output is
   * zero.
   */
  embedBoxes(image: DecodedImage, boxes: readonly Box[]): Promise<Float32Array[]>
  close(): Promise<void>
}

export interface OpenSemanticOptions {
  path: string
  semantic: Omit<SemanticModel, 'dim'>
  executionProviders: readonly string[]
  threads: number
  log?: LogFn | undefined
}

/** Rejects with `embedder_unavailable`, the same as the detector. */
export async function openSemanticEmbedder({
  path,
  semantic,
  ...options
}: OpenSemanticOptions): Promise<SemanticEmbedder> {
  const { session } = await openSession({
    ...options,
    model: { path, manifest: { name: semantic.file } }
  })
  const { size, normalisation, inputName, outputName, batch } = semantic

  const useCanvas = createSpareCanvases()

  async function runTogether(image: DecodedImage, boxes: readonly Box[]): Promise<Float32Array[]> {
    const output = await useCanvas(boxes.length * 3 * size.height * size.width, async (values) => {
      cropsInto(values, image, boxes, { ...size, normalisation })
      return (
        await session.run({
          [inputName]: new ort.Tensor('float32', values, [boxes.length, 3, size.height, size.width])
        })
      )[outputName]!
    })
    if (!(output.data instanceof Float32Array) || output.dims[0] !== boxes.length) {
      throw appError(
        'invalid_request',
        `${semantic.file} gives ${output.type} [${output.dims.join(', ')}] for ${boxes.length} pictures, float [${boxes.length}, n] was expected`
      )
    }
    return Array.from(boxes, (_, i) =>
      unitPooled(output.data as Float32Array, output.dims, i, semantic.file)
    )
  }
  return {
    async embedBoxes(image, boxes) {
      if (batch === 'any') return boxes.length === 0 ? [] : runTogether(image, boxes)
      const vectors: Float32Array[] = []
      for (const box of boxes) vectors.push(...(await runTogether(image, [box])))
      return vectors
    },
    close: () => session.release()
  }
}

/** Row `index` of [n, dim, ...places]: the mean over the places, scaled to unit length. */
function unitPooled(
  data: Float32Array,
  [count, dim, ...places]: readonly number[],
  index: number,
  file: string
): Float32Array {
  const each = places.reduce((product, side) => product * side, 1)
  const start = index * (data.length / count!)
  const pooled = Float32Array.from({ length: dim! }, (_, channel) => {
    let sum = 0
    for (let i = 0; i < each; i++) sum += data[start + channel * each + i]!
    return sum / each
  })
  const norm = Math.hypot(...pooled)
  if (!Number.isFinite(norm))
    throw appError(
      'invalid_request',
      `${file} gives a vector of length ${norm}: it cannot be compared`
    )
  // An even picture may give a zero vector; the part then stays zero.
  return norm > 0 ? pooled.map((value) => value / norm) : pooled
}

const trialBoxes: readonly Box[] = [
  [0, 0, 64, 64],
  [64, 64, 128, 128],
  [0, 0, 128, 128]
]
const leastSame = 0.9999

/**
 * Tries the embedder on crops of a picture, alone and together, and adds the missing fact `dim`.
 * Rejects with `invalid_request`.
 */
export async function trySemantic(options: OpenSemanticOptions): Promise<SemanticModel> {
  const picture: DecodedImage = {
    rgb: Uint8Array.from({ length: 3 * 128 * 128 }, (_, i) => (i * 2654435761) % 251),
    width: 128,
    height: 128
  }
  let embedder: SemanticEmbedder | undefined
  try {
    embedder = await openSemanticEmbedder(options)
    const together = await embedder.embedBoxes(picture, trialBoxes)
    const alone = (
      await Promise.all(trialBoxes.map((box) => embedder!.embedBoxes(picture, [box])))
    ).flat()
    const apart = together.findIndex((vector, i) => !(cosine(vector, alone[i]!) >= leastSame))
    if (apart >= 0)
      throw appError(
        'invalid_request',
        `${options.semantic.file}: a crop beside others has cosine ${cosine(together[apart]!, alone[apart]!).toFixed(4)} with itself alone: export it with batch 1`
      )
    return { ...options.semantic, dim: together[0]!.length }
  } catch (error) {
    throw appError(
      'invalid_request',
      `${options.semantic.file} cannot be used as an embedder: ${messageOf(error).trim()}`,
      { cause: error }
    )
  } finally {
    await embedder?.close()
  }
}
