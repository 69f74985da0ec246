// Finds which parts of a picture's box match which parts of another's: a run of the model for each
// picture, then the cells.
import type { Box, CompareMade } from '@likeness/shared/contract/embedder'
import { appError } from '@likeness/shared/errors'
import {
  cellCount,
  cellStarts,
  cutBox,
  type DecodedImage,
  type Embedder,
  matchCells,
  type ModelManifest,
  nothingDetected
} from '@likeness/vision'
import type { CompareTask } from '../child-protocol.ts'
import type { PriorityMutex } from '../priority-mutex.ts'
import type { InferContext } from './inference.ts'
import type { Projections } from './projections.ts'

export interface ComparePicturesDeps {
  embedder: Pick<Embedder, 'embed'> & {
    manifest: Pick<ModelManifest, 'name' | 'maps' | 'semantic'>
  }
  profileOf: Projections['profileOf']
  gate: PriorityMutex
}

export function createPictureComparer({ embedder, profileOf, gate }: ComparePicturesDeps) {
  const starts = cellStarts(embedder.manifest)

  async function side(
    image: DecodedImage,
    asked: Box | undefined,
    { priority, checkCancelled }: InferContext
  ) {
    const { width, height } = image
    const box = cutBox(asked ?? [0, 0, width, height], image)
    const { extra } = await gate.run(priority, async () => {
      checkCancelled()
      return embedder.embed(image, { extraBoxes: [box], confidence: nothingDetected })
    })
    return { raw: extra[0]!, seen: { width, height, box } }
  }

  /**
   * Rejects with `invalid_request` for a box outside of its picture, and with `embedding_mismatch`
   * where vectors have no parts.
   */
  return async (
    query: DecodedImage,
    item: DecodedImage,
    task: CompareTask,
    context: InferContext
  ): Promise<CompareMade> => {
    if (starts.length === 0)
      throw appError(
        'embedding_mismatch',
        `vectors of ${embedder.manifest.name} are of whole boxes: there are no parts to compare`
      )
    const profile = await profileOf(task.embedding)
    const [left, right] = [
      await side(query, task.box, context),
      await side(item, task.imageBox, context)
    ]
    const { strengths, matches } = await matchCells(left.raw, right.raw, { profile, starts })
    const rows = Array.from({ length: cellCount }, (_, cell) =>
      [...strengths.subarray(cell * cellCount, (cell + 1) * cellCount)].map(rounded)
    )
    return {
      query: left.seen,
      item: right.seen,
      grid: Math.sqrt(cellCount),
      strengths: rows,
      matches: matches.map((match) => ({ ...match, strength: rounded(match.strength) }))
    }
  }
}
export type ComparePictures = ReturnType<typeof createPictureComparer>

const rounded = (strength: number): number => Math.round(strength * 1000) / 1000
