// Compares the parts of a query's boxes with the parts of candidates, from raw vectors alone.
import type { RankMade } from '@likeness/shared/contract/embedder'
import { fromFloat16 } from '@likeness/shared/data/float16'
import { appError } from '@likeness/shared/errors'
import { alikeCells, cellStarts, type ModelManifest } from '@likeness/vision'
import type { RankTask } from '../child-protocol.ts'
import type { Projections } from './projections.ts'

export interface RankItemsDeps {
  manifest: Pick<ModelManifest, 'name' | 'rawDim' | 'maps' | 'semantic'>
  profileOf: Projections['profileOf']
}

/**
 * Rejects with `embedding_mismatch` where vectors have no parts, and with `dimension_mismatch` for
 * raw vectors of another model.
 */
export function createItemRanker({ manifest, profileOf }: RankItemsDeps) {
  const starts = cellStarts(manifest)
  return async ({
    rawVectors,
    rawDim,
    queryRows,
    itemRows,
    embedding
  }: RankTask): Promise<RankMade> => {
    if (starts.length === 0)
      throw appError(
        'embedding_mismatch',
        `vectors of ${manifest.name} are of whole boxes: there are no parts to compare`
      )
    const count = itemRows.reduce((sum, rows) => sum + rows, queryRows)
    if (rawDim !== manifest.rawDim || rawVectors.length !== count * rawDim)
      throw appError(
        'dimension_mismatch',
        `${rawVectors.length} raw values are not ${count} rows of ${manifest.rawDim}`
      )
    const values = fromFloat16(rawVectors)
    const alike = await alikeCells(
      Array.from({ length: count }, (_, row) => values.subarray(row * rawDim, (row + 1) * rawDim)),
      { profile: await profileOf(embedding), starts }
    )
    return {
      alike: Array.from({ length: queryRows }, (_, query) =>
        bestOfItems(itemRows, queryRows, (row) => alike(query, row))
      )
    }
  }
}
export type RankItems = ReturnType<typeof createItemRanker>

/** Returns the best row's value for each item. */
function bestOfItems(
  itemRows: readonly number[],
  firstRow: number,
  alike: (row: number) => number
): number[] {
  let row = firstRow
  return itemRows.map((rows) => {
    const best = Math.max(...Array.from({ length: rows }, (_, i) => alike(row + i)))
    row += rows
    return Math.round(1e6 * best) / 1e6
  })
}
