// Runs the embedder beside the detector on boxes of a picture.
import { appError } from '@likeness/shared/errors'
import { floatValues } from '../onnx/tensor-values.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import type { Box } from '../picture/letterbox.ts'
import { createSpareCanvases } from '../picture/spare-canvases.ts'
import { type LogFn, openSession } from '../runtime/session.ts'
import { cropsInto, seenOfWhole, toTensor } from './crop-tensor.ts'
import { unitVectors } from './pool-output.ts'
import type { SemanticModel } from './semantic-model.ts'

export interface SemanticEmbedder {
  /**
   * f32 [dim] of unit length for each box (picture pixels); zeros where the embedder's output is
   * zero.
   */
  embedBoxes(image: DecodedImage, boxes: readonly Box[]): Promise<Float32Array[]>
  /** The same for the whole picture. */
  embedWhole(image: DecodedImage): Promise<Float32Array>
  close(): Promise<void>
}

export interface OpenSemanticOptions {
  path: string
  semantic: Omit<SemanticModel, 'dim'>
  executionProviders: readonly string[]
  threads: number
  log?: LogFn | undefined
}

/** Runs of the embedder's graph, before its output becomes vectors. */
export interface CropRuns {
  /** f32 [boxes, ...], as the graph gives it. */
  run(
    image: DecodedImage,
    boxes: readonly Box[]
  ): Promise<{ values: Float32Array; dims: readonly number[] }>
  close(): Promise<void>
}

/** Crops of a run: 32 of 224 pixels hold 19 MB, and as much again for each layer. */
const mostTogether = 32

/** Rejects with `embedder_unavailable`, the same as the detector. */
export async function openSemanticEmbedder(
  options: OpenSemanticOptions
): Promise<SemanticEmbedder> {
  return embedderOf(await openCropRuns(options), options.semantic)
}

export async function openCropRuns({
  path,
  semantic,
  ...options
}: OpenSemanticOptions): Promise<CropRuns> {
  const { session } = await openSession({
    ...options,
    model: { path, manifest: { name: semantic.file } }
  })
  const { size, inputName, outputName } = semantic
  const useCanvas = createSpareCanvases()
  return {
    async run(image, boxes) {
      const length = boxes.length * 3 * size.height * size.width
      const output = await useCanvas(length, async (values) => {
        cropsInto(values, image, boxes, semantic)
        return (await session.run({ [inputName]: toTensor(values, semantic) }, [outputName]))[
          outputName
        ]!
      })
      if (!output.type.startsWith('float') || output.dims[0] !== boxes.length)
        throw appError(
          'invalid_request',
          `${semantic.file} gives ${output.type} [${output.dims.join(', ')}] for ${boxes.length} pictures, float [${boxes.length}, n] was expected`
        )
      return { values: floatValues(output), dims: output.dims }
    },
    close: () => session.release()
  }
}

export function embedderOf(
  crops: CropRuns,
  semantic: Omit<SemanticModel, 'dim'>
): SemanticEmbedder {
  const runTogether = async (image: DecodedImage, boxes: readonly Box[]): Promise<Float32Array[]> =>
    unitVectors({
      ...(await crops.run(image, boxes)),
      tokens: semantic.tokens,
      file: semantic.file
    })

  async function embedBoxes(image: DecodedImage, boxes: readonly Box[]): Promise<Float32Array[]> {
    const step = semantic.batch === 'any' ? mostTogether : 1
    const vectors: Float32Array[] = []
    for (let from = 0; from < boxes.length; from += step)
      vectors.push(...(await runTogether(image, boxes.slice(from, from + step))))
    return vectors
  }
  return {
    embedBoxes,
    embedWhole: async (image) => (await embedBoxes(image, [seenOfWhole(image, semantic)]))[0]!,
    close: () => crops.close()
  }
}
