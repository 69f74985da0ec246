// A sample of the vectors of a collection, parted into rows to index and rows to search for.
import { decodeVector } from '@likeness/shared/contract/embedder'
import { weighQueries } from '@likeness/shared/contract/embedding-parts'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import type { ApiClient } from '../api/api-client.ts'
import { UserError } from '../user-error.ts'

const mostRows = 20_000
const mostBytes = 256 * 1024 * 1024
const queryRows = 200
/** Fewer rows tell nothing, and no product quantizer is trained on them. */
const fewestRows = 1_000

export interface SampledRows {
  dim: number
  /** [rows, dim] */
  vectors: Float32Array
  /** [queries, dim], of items that are not among the vectors, with the weights of a search. */
  queries: Float32Array
}

/** UserError where the collection has too few rows. */
export async function sampleRows(
  api: Pick<ApiClient, 'exportVectors'>,
  { name, rows, items, embedding: { dim, parts = [] }, weights }: CollectionAnswer
): Promise<SampledRows> {
  const room = Math.min(mostRows, Math.floor(mostBytes / (4 * dim)))
  const wanted = Math.min(items, Math.ceil((items * room) / rows))
  const { lines } = await api.exportVectors(name, { sample: wanted })
  const [queries, vectors]: [Float32Array[], Float32Array[]] = [[], []]
  const counts = { queries: 0, vectors: 0 }
  for await (const line of lines) {
    const found = decodeVector(line.vectors as string)
    const isQuery = counts.queries < queryRows
    ;(isQuery ? queries : vectors).push(found)
    counts[isQuery ? 'queries' : 'vectors'] += found.length / dim
  }
  if (counts.vectors < fewestRows)
    throw new UserError(
      `${name} has ${rows} rows: --methods compares from ${fewestRows + queryRows} on; below, FLAT is best`
    )
  const weighed = weights === null ? [] : parts.map((p) => ({ ...p, weight: weights[p.name]! }))
  return {
    dim,
    vectors: concatArrays(Float32Array, vectors).subarray(0, room * dim),
    queries: weighQueries(concatArrays(Float32Array, queries).subarray(0, queryRows * dim), weighed)
  }
}
