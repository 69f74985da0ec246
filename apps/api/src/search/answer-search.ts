// Turns hits of the collection reader into the answer. Hits are listed per object, and merged by
// item over all objects, best score first.
import type { CollectionReader, SearchQuery } from '@likeness/engine/contract'
import { type CollectionSettings, rerankProblem } from '@likeness/shared/contract/collection'
import type { Filter } from '@likeness/shared/contract/filter'
import {
  defaultK,
  type HitAnswer,
  maxHits,
  maxK,
  type SearchAnswer,
  type SearchRequest
} from '@likeness/shared/contract/http/search'
import type { Metadata } from '@likeness/shared/contract/item-list'
import { standingOf } from '@likeness/shared/contract/margin'
import { appError } from '@likeness/shared/errors'
import { pictureLinks } from '../answers/stored-item.ts'
import { suppressOverlaps } from './recognised-objects.ts'
import { type CellRanking, rawVectorsOfQueries, searchByCells } from './search-by-cells.ts'
import type { SearchQueries } from './search-queries.ts'
import { type RankedHit, searchReranked } from './search-reranked.ts'
import { searchWithMargins } from './search-with-margins.ts'

function hitAnswer(
  collection: string,
  metric: string,
  { item, row, score, distance, margin, rerankScore }: RankedHit
): HitAnswer {
  const { id, label, metadata, rows, width, height } = item
  return {
    id,
    label,
    metadata,
    score,
    ...(margin !== undefined && { margin }),
    ...(rerankScore !== undefined && { rerank_score: rerankScore }),
    distance,
    metric,
    box: rows[row]?.box ?? [0, 0, width, height],
    ...pictureLinks(collection, id)
  }
}

/** Returns the value that a hit is grouped by; undefined for a group with this hit alone. */
function groupOf({ label, metadata }: HitAnswer, groupBy: string): string | undefined {
  const value = groupBy === 'label' ? label : metadata[groupBy.slice('metadata.'.length)]
  return value === null || value === undefined ? undefined : JSON.stringify(value)
}

export interface Grouping {
  by: string
  size: number
}

/** Ranks hits with a rerank score before hits without. */
const rankOf = (hit: HitAnswer): number =>
  hit.rerank_score === undefined ? standingOf(hit) : 2 + hit.rerank_score

/**
 * Returns the best k items, each once with its best rank, and at most `size` per group. Equal items
 * keep their order.
 */
export function mergeHits(
  lists: readonly (readonly HitAnswer[])[],
  k: number,
  group?: Grouping
): HitAnswer[] {
  const best = new Map<string, HitAnswer>()
  for (const hit of lists.flat()) {
    const known = best.get(hit.id)
    if (known === undefined || rankOf(hit) > rankOf(known)) best.set(hit.id, hit)
  }
  const ranked = [...best.values()].sort((a, b) => rankOf(b) - rankOf(a))
  return (group === undefined ? ranked : withinGroups(ranked, group)).slice(0, k)
}

function withinGroups(hits: readonly HitAnswer[], { by, size }: Grouping): HitAnswer[] {
  const counts = new Map<string, number>()
  return hits.filter((hit) => {
    const group = groupOf(hit, by)
    if (group === undefined) return true
    const count = (counts.get(group) ?? 0) + 1
    counts.set(group, count)
    return count <= size
  })
}

type Exclusion = { filter?: Filter | undefined; exclude?: Filter | undefined }

function filterOf({ filter, exclude }: Exclusion): Filter | undefined {
  if (exclude === undefined) return filter
  // filter and not exclude
  return filter === undefined ? { not: exclude } : { not: { any: [{ not: filter }, exclude] } }
}

/**
 * Builds the filter of excluded items: those of `exclude`, and those that share a value with the
 * query under a key of `exclude_same`. undefined when no item is excluded.
 */
function excludedOf(
  { exclude, exclude_same: asked }: SearchRequest,
  settings: CollectionSettings,
  known: Metadata = {}
): Filter | undefined {
  const same = (asked ?? settings.exclude_same).flatMap((key): Filter[] =>
    known[key] === undefined || known[key] === null ? [] : [{ metadata: { [key]: known[key] } }]
  )
  const all = exclude === undefined ? same : [exclude, ...same]
  return all.length < 2 ? all[0] : { any: all }
}

/**
 * Request for the hits of a query. A query by item finds the item itself, and the answer leaves
 * that item out. So the request has an extra hit, also in the group of the item.
 */
function askFor(
  { group_size: groupSize = 1, group_by: groupBy }: SearchRequest,
  k: number,
  withSelf: boolean
): { k: number; groupSize: number } {
  if (!withSelf) return { k, groupSize }
  return {
    k: groupBy === undefined ? k + 1 : Math.ceil((k * (groupSize + 1)) / groupSize) + 1,
    groupSize: groupSize + 1
  }
}

/** Searches all vectors at once. The caller adds the timings. */
export async function searchSnapshot(
  reader: CollectionReader,
  queries: SearchQueries,
  request: SearchRequest,
  ranking: CellRanking
): Promise<Omit<SearchAnswer, 'took_ms' | 'collection'>> {
  const { name, metric, settings } = reader.spec
  const k = request.k ?? (request.hamming_radius === undefined ? defaultK : maxK)
  checkRequest(reader, queries, request, k)
  const found = await findHits(reader, queries, request, { k, ranking })
  const lists = found.map((hits) =>
    hits.filter(({ item }) => item.id !== queries.except).map((hit) => hitAnswer(name, metric, hit))
  )
  const {
    group_by: groupBy,
    group_size: groupSize = 1,
    nms_iou: nmsIou = settings.nms_iou
  } = request
  const group = groupBy === undefined ? undefined : { by: groupBy, size: groupSize }
  const every = queries.objects.map((object, i) => ({
    ...object,
    hits: mergeHits(
      lists.filter((_, n) => queries.objectOf[n] === i),
      k,
      group
    )
  }))
  const apart = nmsIou === undefined ? every : suppressOverlaps(every, nmsIou)
  // A tile is not an object of the picture. A tile is only shown when it has hits.
  const objects = apart.filter(({ kind, hits }) => kind !== 'tile' || hits.length > 0)
  return {
    index_seq: reader.seq,
    objects,
    hits: mergeHits(
      objects.map(({ hits }) => hits),
      k,
      group
    ),
    picture: queries.picture
  }
}

function checkRequest(
  { spec }: CollectionReader,
  queries: SearchQueries,
  { hamming_radius: hammingRadius, rerank = spec.settings.rerank, vectors }: SearchRequest,
  k: number
): void {
  const { name, metric } = spec
  if (hammingRadius !== undefined && metric !== 'hamming')
    throw appError(
      'invalid_request',
      `hamming_radius is for hamming, and the metric of ${name} is ${metric}`
    )
  const problem = rerank ? rerankProblem(spec) : undefined
  if (problem !== undefined) throw appError('invalid_request', problem)
  if (vectors !== undefined && queries.objects.length * k > maxHits) {
    throw appError(
      'too_large',
      `${queries.objects.length} vectors with ${k} hits each are more than ${maxHits} hits: ask for fewer at once`
    )
  }
}

/**
 * Finds the hits of each vector. They are ranked by score, by a new comparison, or by their margin.
 */
async function findHits(
  reader: CollectionReader,
  queries: SearchQueries,
  request: SearchRequest,
  { k, ranking }: { k: number; ranking: CellRanking }
): Promise<RankedHit[][]> {
  const { settings } = reader.spec
  const { rerank = settings.rerank, cohort_weight: weight = settings.cohort_weight } = request
  const options = searchOptions(reader, queries, request, k)
  const rawVectors = rerank === 'cells' ? await rawVectorsOfQueries(queries, ranking) : undefined
  if (request.rerank === 'cells' && rawVectors === undefined)
    throw appError(
      'invalid_request',
      'rerank by cells is for pictures, and for items that came as pictures'
    )
  const search = (own: SearchQuery): Promise<RankedHit[][]> => {
    if (rawVectors !== undefined) return searchByCells(reader, own, rawVectors, ranking)
    return rerank === true ? searchReranked(reader, own) : reader.search(own)
  }
  return weight > 0
    ? await searchWithMargins(reader, options, { weight, except: queries.except, search })
    : await search(options)
}

function searchOptions(
  { spec: { settings } }: CollectionReader,
  queries: SearchQueries,
  request: SearchRequest,
  k: number
): SearchQuery {
  const { group_by: groupBy } = request
  const asked = askFor(request, k, queries.except !== undefined)
  const grouping = groupBy === undefined ? {} : { groupBy, groupSize: asked.groupSize }
  const filter = filterOf({
    filter: request.filter,
    exclude: excludedOf(request, settings, request.metadata ?? queries.metadata)
  })
  return {
    vectors: queries.vectors,
    k: asked.k,
    searchBudget: request.search_budget,
    hammingRadius: request.hamming_radius,
    scoreThres: request.score_thres ?? settings.score_thres,
    filter,
    ...grouping
  }
}
