// Reads a bounded part of a collection's items, and keeps a sample that is spread over what was read.
import { decodeVector } from '@likeness/shared/contract/embedder'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { sha256Of } from '@likeness/shared/data/sha256'
import type { ApiClient } from '../api/api-client.ts'

/** Items that are read at most, and bytes of their vectors: some seconds. */
const mostRead = 20_000
const mostBytes = 128 * 2 ** 20
export const mostSampled = 400

export interface SampledItem {
  id: string
  label: string | null
  /** Of the picture in pixels; 0: unknown. */
  width: number
  height: number
  /** Float32 [rows, dim], as they are stored; undefined for sparse vectors. */
  vectors: Float32Array | undefined
}

function itemOf({ id, label = null, width = 0, height = 0, vectors }: VectorLine): SampledItem {
  return {
    id,
    label,
    width,
    height,
    vectors: typeof vectors === 'string' ? decodeVector(vectors) : undefined
  }
}

const bytesOf = ({ vectors }: VectorLine): number =>
  typeof vectors === 'string' ? vectors.length : 0

/**
 * Items come segment by segment, in the order of a hash of their ids. Those with the lowest hash of
 * all that were read are kept: the same ones each time.
 */
export async function sampleItems(
  api: Pick<ApiClient, 'exportVectors'>,
  collection: string,
  most = mostSampled
): Promise<SampledItem[]> {
  const { lines } = await api.exportVectors(collection)
  let kept: { key: string; line: VectorLine }[] = []
  const lowest = (): typeof kept => kept.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, most)
  let read = 0
  let bytes = 0
  for await (const line of lines) {
    kept.push({ key: sha256Of(line.id).toString('hex'), line })
    if (kept.length >= 2 * most) kept = lowest()
    bytes += bytesOf(line)
    if (++read >= mostRead || bytes >= mostBytes) break
  }
  return lowest().map(({ line }) => itemOf(line))
}
