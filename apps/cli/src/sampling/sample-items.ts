// Reads a sample of a collection's items, spread evenly over its newest version.
import { decodeVector } from '@likeness/shared/contract/embedder'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { sha256Hex } from '@likeness/shared/data/sha256'
import type { ApiClient } from '../api/api-client.ts'

const mostSampled = 400

export interface SampledItem {
  id: string
  label: string | null
  /** Of the picture in pixels; 0: unknown. */
  width: number
  height: number
  /** Float32 [rows, dim], as they are stored; undefined for sparse vectors. */
  vectors: Float32Array | undefined
}

const itemOf = ({ id, label = null, width = 0, height = 0, vectors }: VectorLine): SampledItem => ({
  id,
  label,
  width,
  height,
  vectors: typeof vectors === 'string' ? decodeVector(vectors) : undefined
})

/** Returns at most `most` items, the same ones of a version each time. */
export async function sampleItems(
  api: Pick<ApiClient, 'exportVectors'>,
  collection: string,
  most = mostSampled
): Promise<SampledItem[]> {
  const { lines } = await api.exportVectors(collection, { sample: most })
  const items: { key: string; item: SampledItem }[] = []
  for await (const line of lines) items.push({ key: sha256Hex(line.id), item: itemOf(line) })
  // They come segment by segment. In the order of a hash, the first ones are a sample too.
  return items.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item)
}
