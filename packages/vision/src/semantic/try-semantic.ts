// Tries an embedder on crops of a picture, to learn what its graph does not say.
import { appError, messageOf } from '@likeness/shared/errors'
import type { DecodedImage } from '../picture/image-decode.ts'
import type { Box, Size } from '../picture/letterbox.ts'
import { cosine } from '../runtime/cosine.ts'
import { runtimeReason } from '../runtime/runtime-reason.ts'
import {
  type CropRuns,
  embedderOf,
  openCropRuns,
  type OpenSemanticOptions,
  type SemanticEmbedder
} from './semantic-embedder.ts'
import type { SemanticModel, TokenPool } from './semantic-model.ts'
import { readTokens } from './token-form.ts'

export interface TrySemanticOptions extends OpenSemanticOptions {
  patch?: Size | undefined
  pool?: TokenPool | undefined
}

export interface TriedSemantic {
  semantic: SemanticModel
  /** Why a run takes a crop at a time, though the graph's batch is free. */
  batchReason?: string | undefined
}

const trialBoxes: readonly Box[] = [
  [0, 0, 64, 64],
  [64, 64, 128, 128],
  [0, 0, 128, 128]
]
const leastSame = 0.9999
const tokenRank = 3

/**
 * Adds the missing facts `dim` and `tokens`. An embedder whose vectors depend on the crops beside
 * (dynamic int8) gets `batch: 'one'`. Rejects with `invalid_request`.
 */
export async function trySemantic({
  patch,
  pool,
  ...options
}: TrySemanticOptions): Promise<TriedSemantic> {
  const picture: DecodedImage = {
    rgb: Uint8Array.from({ length: 3 * 128 * 128 }, (_, i) => (i * 2654435761) % 251),
    width: 128,
    height: 128
  }
  let crops: CropRuns | undefined
  try {
    crops = await openCropRuns(options)
    const { dims } = await crops.run(picture, [trialBoxes[0]!])
    const { file, size } = options.semantic
    const described = {
      ...options.semantic,
      ...(dims.length === tokenRank && {
        tokens: readTokens({ count: dims[1]!, size, patch, pool, file })
      })
    }
    const alone: Float32Array[] = []
    for (const box of trialBoxes)
      alone.push(...(await embedderOf(crops, described).embedBoxes(picture, [box])))
    const batchReason =
      described.batch === 'any'
        ? await whyOneByOne(embedderOf(crops, described), picture, alone)
        : undefined
    const semantic: SemanticModel = {
      ...described,
      ...(batchReason !== undefined && { batch: 'one' }),
      dim: alone[0]!.length
    }
    return { semantic, batchReason }
  } catch (error) {
    throw appError(
      'invalid_request',
      `${options.semantic.file} cannot be used as an embedder: ${messageOf(error).trim()}`,
      { cause: error }
    )
  } finally {
    await crops?.close()
  }
}

async function whyOneByOne(
  embedder: SemanticEmbedder,
  picture: DecodedImage,
  alone: readonly Float32Array[]
): Promise<string | undefined> {
  try {
    const together = await embedder.embedBoxes(picture, trialBoxes)
    const least = Math.min(...together.map((vector, i) => cosine(vector, alone[i]!)))
    return least >= leastSame
      ? undefined
      : `a crop beside others has cosine ${least.toFixed(4)} with itself alone`
  } catch (error) {
    return runtimeReason(error)
  }
}
