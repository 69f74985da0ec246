// The vectors of a gallery's index, by the ids of the map, checked against an embedding.
import { FaissError, type FaissMetric, readForeignVectors } from '@likeness/faiss'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { UserError } from '../user-error.ts'
import type { GalleryFolder } from './gallery-folder.ts'

/** Allowed difference from length 1 of a unit vector. */
const tolerance = 1e-3

export interface GalleryVectors {
  kind: string
  dim: number
  metric: FaissMetric
  isUnit: boolean
  /** [ids, dim] */
  of(ids: readonly number[]): Float32Array
}

/**
 * UserError for an index that cannot be read row by row, and where index and map do not name the
 * same rows.
 */
export async function readGalleryVectors({
  indexFile,
  mapFile,
  rowCount,
  items
}: GalleryFolder): Promise<GalleryVectors> {
  const { kind, dim, metric, ids, vectors } = await readForeignVectors(indexFile).catch(
    (error: unknown) => {
      if (!(error instanceof FaissError)) throw error
      throw new UserError(
        `${indexFile}: ${error.message} (its pictures can still be embedded anew: leave --embedding away)`
      )
    }
  )
  if (ids.length !== rowCount)
    throw new UserError(
      `${indexFile} has ${ids.length} vectors and ${mapFile} names ${rowCount}: they do not belong together`
    )
  const places = new Map<number, number>()
  ids.forEach((id: number | bigint, place: number) => places.set(Number(id), place))
  for await (const { rows } of items())
    for (const row of rows)
      if (!places.has(row))
        throw new UserError(
          `${mapFile} names row ${row}, which ${indexFile} does not have: they do not belong together`
        )
  return {
    kind,
    dim,
    metric,
    isUnit: checkRows(vectors, dim, indexFile),
    of(wanted) {
      const rows = new Float32Array(wanted.length * dim)
      wanted.forEach((id, i) =>
        rows.set(vectors.subarray(places.get(id)! * dim, (places.get(id)! + 1) * dim), i * dim)
      )
      return rows
    }
  }
}

/**
 * Returns true when every row has unit length. UserError for a row with values that are not finite.
 */
function checkRows(vectors: Float32Array, dim: number, indexFile: string): boolean {
  let isUnit = true
  for (let row = 0; row < vectors.length / dim; row++) {
    let squares = 0
    for (let i = row * dim; i < (row + 1) * dim; i++) squares += vectors[i]! * vectors[i]!
    if (!Number.isFinite(squares))
      throw new UserError(`${indexFile}: vector ${row} has values that are no numbers`)
    isUnit &&= Math.abs(Math.sqrt(squares) - 1) <= tolerance
  }
  return isUnit
}

/** UserError when the vectors do not fit an embedding. */
export function checkVectors(
  { dim, isUnit }: GalleryVectors,
  embedding: EmbeddingSpec,
  indexFile: string
): void {
  if (dim !== embedding.dim)
    throw new UserError(
      `${indexFile} has vectors of ${dim}, the embedding ${embedding.version} makes vectors of ${embedding.dim}`
    )
  // A row with a part that is zero is shorter.
  if (embedding.unit && !isUnit && embedding.parts === undefined)
    throw new UserError(
      `${indexFile} has vectors that are not of unit length, and those of the embedding ${embedding.version} are`
    )
}
