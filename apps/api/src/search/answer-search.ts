// From hits of the snapshot to the answer: per object, and merged over all of them by item, best score first.
import type { Hit, Snapshot } from '@likeness/engine/contract'
import type { HitAnswer, SearchAnswer, SearchRequest } from '@likeness/shared/contract/http'
import { pictureLinks } from '../stored-item.ts'
import type { SearchQueries } from './search-queries.ts'

function hitAnswer(collection: string, metric: string, { item, row, score, distance }: Hit): HitAnswer {
  const { id, label, metadata, rows, width, height } = item
  return { id, label, metadata, score, distance, metric, box: rows[row]?.box ?? [0, 0, width, height], ...pictureLinks(collection, id) }
}

/** Best k items, each once with its best score. Equal scores keep their order. */
export function mergeHits(lists: readonly (readonly HitAnswer[])[], k: number): HitAnswer[] {
  const best = new Map<string, HitAnswer>()
  for (const hit of lists.flat()) {
    const known = best.get(hit.id)
    if (known === undefined || hit.score > known.score) best.set(hit.id, hit)
  }
  return [...best.values()].sort((a, b) => b.score - a.score).slice(0, k)
}

/** Searches all vectors at once; timings are the caller's. */
export async function searchSnapshot(snapshot: Snapshot, queries: SearchQueries, request: SearchRequest): Promise<Omit<SearchAnswer, 'took_ms' | 'collection'>> {
  const { name, metric } = snapshot.spec
  const k = queries.except === undefined ? request.k : request.k + 1
  const found = await snapshot.search({ vectors: queries.vectors, k, searchBudget: request.search_budget, scoreThres: request.score_thres })
  const lists = found.map((hits) => hits.filter(({ item }) => item.id !== queries.except).map((hit) => hitAnswer(name, metric, hit)))
  const objects = queries.objects.map((object, i) => ({ ...object, hits: mergeHits(lists.filter((_, n) => queries.objectOf[n] === i), request.k) }))
  return { index_seq: snapshot.seq, objects, hits: mergeHits(objects.map(({ hits }) => hits), request.k), picture: queries.picture }
}
