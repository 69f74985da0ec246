// Vectors of different lengths under the inner product: the longest ones win, whatever they show.
import type { CollectionCheck } from '../check.ts'

/** Lengths that differ by less are rounding, or the error of encoded rows. */
const mostSpread = 0.05
const fewest = 10

/** Length of each row. */
function lengthsOf(vectors: Float32Array, dim: number): number[] {
  return Array.from({ length: vectors.length / dim }, (_, row) =>
    Math.hypot(...vectors.subarray(row * dim, (row + 1) * dim))
  )
}

export const lengths: CollectionCheck = {
  id: 'vector-lengths',
  complaint: 'wrong',
  async examine({ api: { url }, collection: { name, metric, embedding }, facts }) {
    if (metric !== 'IP' || embedding.sparse === true) return undefined
    const all = (await facts.items())
      .flatMap(({ vectors }) => (vectors === undefined ? [] : lengthsOf(vectors, embedding.dim)))
      .sort((a, b) => a - b)
    if (all.length < fewest) return undefined
    const [short, long] = [0.05, 0.95].map((part) => all[Math.floor(part * (all.length - 1))]!)
    if (long! - short! <= mostSpread * long!) return undefined
    return {
      found: `of ${all.length} vectors the shortest have the length ${short!.toFixed(2)}, the longest ${long!.toFixed(2)}`,
      says: 'The metric is the inner product, which grows with the length: long vectors are found whatever they show. Compare by cosine, or send vectors of length 1.',
      type: [
        `curl -s ${url}/v1/collections -H 'content-type: application/json' -d '{"name":"${name}-cosine","metric":"cosine","embedding":{"version":"${embedding.version}","dim":${embedding.dim},"unit":true}}'`,
        `curl -s ${url}/v1/collections/${name}/vectors | curl -s ${url}/v1/collections/${name}-cosine/vectors -H 'content-type: application/x-ndjson' --data-binary @-`
      ]
    }
  }
}
