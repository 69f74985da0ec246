// Why there can be no collection with these properties together.
import type { CollectionSpec } from './collection.ts'
import { partsOf } from './storage-forms.ts'

/** Returns the reason why hits of this collection cannot be re-ranked, or undefined. */
export function rerankProblem({
  embedding,
  metric
}: Pick<CollectionSpec, 'embedding' | 'metric'>): string | undefined {
  return embedding.sparse || !embedding.unit || metric === 'hamming'
    ? 'rerank is for dense vectors of unit length, and not for hamming'
    : undefined
}

/** Returns the reason why there can be no such collection, or undefined. */
export function specProblem({
  metric,
  method,
  storage,
  rescore,
  embedding,
  settings
}: Omit<CollectionSpec, 'collectionId' | 'createdAtMs'>): string | undefined {
  if (embedding.sparse) {
    if (metric !== 'cosine') return `sparse vectors are compared by cosine, not by ${metric}`
    if (method !== 'FLAT')
      return `sparse vectors have inverted lists, which are exact: index_method is FLAT, not ${method}`
    if (storage !== 'f32' || rescore)
      return 'sparse vectors are stored as f32: there is no other storage, and nothing to score them by again'
    if (!embedding.unit) return 'sparse vectors are brought to unit length: unit is true'
  }
  if (metric === 'hamming' && (storage !== 'f32' || rescore))
    return 'hamming stores bits: it has no other storage, and nothing to score them by again'
  if (metric !== 'hamming' && settings.hamming_threshold !== undefined)
    return `hamming_threshold is for hamming, not for ${metric}`
  if (settings.on_disk && method !== 'IVF')
    return `on_disk is for IVF: the index of ${method} has to be in memory`
  const reranking = settings.rerank ? rerankProblem({ embedding, metric }) : undefined
  if (reranking !== undefined) return reranking
  const parts = partsOf(storage)
  return embedding.dim % parts === 0
    ? undefined
    : `storage ${storage}: ${parts} does not divide ${embedding.dim}, the values of a vector`
}
