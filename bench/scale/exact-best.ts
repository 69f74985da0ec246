// The k best rows of each query over a stream of blocks.
import { FaissIndex } from '@likeness/faiss'
import type { Block } from './seeded-stream.ts'

/** Per query, best first: [row, inner product]. */
export type Best = [number, number][][]

export async function bestOfBlock(
  { first, vectors }: Block,
  queries: Float32Array,
  { dim, k }: { dim: number; k: number }
): Promise<Best> {
  const flat = FaissIndex.create({ kind: 'flat', dim, metric: 'ip' })
  await flat.add(vectors)
  const { ids, distances } = await flat.search(queries, { k })
  flat.close()
  return Array.from({ length: queries.length / dim }, (_, q) =>
    Array.from({ length: k }, (_, i): [number, number] => [
      first + ids[q * k + i]!,
      distances[q * k + i]!
    ]).filter(([row]) => row >= first)
  )
}

export const mergeBest = (k: number, ...lists: Best[]): Best =>
  lists[0]!.map((_, q) =>
    lists
      .flatMap((list) => list[q]!)
      .sort((a, b) => b[1] - a[1])
      .slice(0, k)
  )
