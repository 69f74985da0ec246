// Turns hits of the collection reader into the answer. Hits are listed per object, and merged by
// item over all objects, best score first.
import type { Around, CollectionReader, SearchQuery } from '@likeness/engine/contract'
import { type Verdict, verdictOf } from '@likeness/shared/confidence/calibration'
import type { Surroundings } from '@likeness/shared/confidence/evidence'
import type { CollectionSettings } from '@likeness/shared/contract/collection'
import { thresholdOf } from '@likeness/shared/contract/calibrated-threshold'
import type { Filter } from '@likeness/shared/contract/filter'
import {
  defaultK,
  type HitAnswer,
  type SearchAnswer,
  type SearchRequest
} from '@likeness/shared/contract/http/search'
import { beyondLimit, maxHits, maxK } from '@likeness/shared/contract/limits'
import { rerankProblem } from '@likeness/shared/contract/spec-problem'
import type { Metadata } from '@likeness/shared/contract/item-list'
import { comparedIn } from '@likeness/shared/contract/search-weights'
import { appError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import { pictureLinks } from '../answers/stored-item.ts'
import { type Confidences, confidencesOfHits } from './hit-confidences.ts'
import { mergeHits } from './merge-hits.ts'
import { suppressOverlaps } from './recognised-objects.ts'
import { type CellRanking, rawVectorsOfQueries, searchByCells } from './search-by-cells.ts'
import type { SearchQueries } from './search-queries.ts'
import { type RankedHit, rankedAnew, searchReranked } from './search-reranked.ts'
import { searchWithMargins } from './search-with-margins.ts'

interface Sure {
  confidence: number | null
}

function hitAnswer(
  collection: string,
  metric: string,
  { item, row, score, distance, margin, rerankScore, confidence }: RankedHit & Sure
): HitAnswer {
  const { id, label, metadata, rows, width, height } = item
  return {
    id,
    label,
    metadata,
    score,
    confidence,
    ...(margin !== undefined && { margin }),
    ...(rerankScore !== undefined && { rerank_score: rerankScore }),
    distance,
    metric,
    box: rows[row]?.box ?? [0, 0, width, height],
    ...pictureLinks(collection, id)
  }
}

/** Filter of items that match both, the second of which leaves items out. */
const bothOf = (filter: Filter, within: { not: Filter } | undefined): Filter =>
  within === undefined ? filter : { not: { any: [{ not: filter }, within.not] } }

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
 * Request for the hits of a query. A query by items finds the items themselves, and the answer
 * leaves those out. So the request has extra hits, also in the groups of the items.
 */
function askFor(
  { group_size: groupSize = 1, group_by: groupBy }: SearchRequest,
  k: number,
  { size: leftOut }: ReadonlySet<string>
): { k: number; groupSize: number } {
  const room = groupBy === undefined ? k : Math.ceil((k * (groupSize + leftOut)) / groupSize)
  return { k: room + leftOut, groupSize: groupSize + leftOut }
}

/** Searches all vectors at once. The caller adds the timings. */
export async function searchSnapshot(
  reader: CollectionReader,
  queries: SearchQueries,
  request: SearchRequest,
  ranking: CellRanking
): Promise<Omit<SearchAnswer, 'took_ms' | 'collection'>> {
  const { name, metric, settings } = reader.spec
  const k = request.k ?? defaultKOf(request, queries)
  checkRequest(reader, queries, request, k)
  const { found, confidenceOf } = await findHits(reader, queries, request, { k, ranking })
  const turns = new Turns()
  const lists: HitAnswer[][][] = queries.objects.map(() => [])
  for (const [n, hits] of found.entries()) {
    const own = hits.filter(({ item }) => !queries.except.has(item.id))
    const sure = own.map((hit) => ({ ...hit, confidence: confidenceOf(n, hit) }))
    lists[queries.objectOf[n]!]!.push(sure.map((hit) => hitAnswer(name, metric, hit)))
    await turns.take()
  }
  const {
    group_by: groupBy,
    group_size: groupSize = 1,
    nms_iou: nmsIou = settings.nms_iou
  } = request
  const group = groupBy === undefined ? undefined : { by: groupBy, size: groupSize }
  const every: SearchAnswer['objects'] = []
  for (const [i, object] of queries.objects.entries()) {
    const hits = mergeHits(lists[i]!, k, group)
    every.push({ ...object, verdict: verdictOfHits(hits), hits })
    await turns.take()
  }
  const apart = nmsIou === undefined ? every : suppressOverlaps(every, nmsIou)
  // A tile is not an object of the picture. A tile is only shown when it has hits.
  const objects = apart.filter(({ kind, hits }) => kind !== 'tile' || hits.length > 0)
  const hits = mergeHits(
    objects.map((object) => object.hits),
    k,
    group
  )
  return {
    index_seq: reader.seq,
    verdict: verdictOfHits(hits),
    objects,
    hits,
    picture: queries.picture
  }
}

/** The verdict of the first hit. Where nothing was found, the thing is unknown. */
const verdictOfHits = ([first]: readonly HitAnswer[]): Verdict =>
  first === undefined ? 'unknown' : verdictOf(first.confidence)

/** With a radius all items within it are asked for, as far as one search can answer them. */
function defaultKOf(
  { hamming_radius: radius }: SearchRequest,
  { objectOf }: SearchQueries
): number {
  return radius === undefined
    ? defaultK
    : Math.max(1, Math.min(maxK, Math.floor(maxHits / objectOf.length)))
}

function checkRequest(
  { spec }: CollectionReader,
  queries: SearchQueries,
  { hamming_radius: hammingRadius, rerank = spec.settings.rerank }: SearchRequest,
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
  const rows = queries.objectOf.length
  const hits = rows * Math.max(k, rerank === true ? rankedAnew : 0)
  if (hits > maxHits)
    throw beyondLimit('maxHits', hits, `The query has ${rows} vectors: ask for a smaller k`)
}

/**
 * Finds the hits of each vector, and how sure they are. They are ranked by score, by a new
 * comparison, or by their margin.
 */
async function findHits(
  reader: CollectionReader,
  queries: SearchQueries,
  request: SearchRequest,
  { k, ranking }: { k: number; ranking: CellRanking }
): Promise<{ found: RankedHit[][]; confidenceOf: Confidences }> {
  const { settings } = reader.spec
  const { rerank = settings.rerank, cohort_weight: weight = settings.cohort_weight } = request
  const excluded = excludedOf(request, settings, request.metadata ?? queries.metadata)
  const within = excluded && { not: excluded }
  const options = searchOptions(reader, queries, request, { k, within })
  const rawVectors =
    rerank === 'cells' ? await rawVectorsOfQueries(reader, queries, ranking) : undefined
  if (request.rerank === 'cells' && rawVectors === undefined)
    throw appError(
      'invalid_request',
      'rerank by cells is for pictures, and for items that came as pictures'
    )
  const search = async (own: SearchQuery): Promise<RankedHit[][]> => {
    if (rawVectors !== undefined) return searchByCells(reader, own, rawVectors, ranking)
    if (rerank === true) return searchReranked(reader, own)
    const plain = await reader.searchAround(own, near)
    around = plain.map((one) => one.around)
    return plain.map(({ hits }) => hits)
  }
  const { except } = queries
  const near = { except, within }
  let around: Surroundings[] | undefined
  const found =
    weight > 0
      ? await searchWithMargins(reader, options, { weight, except, search })
      : await search(options)
  around ??= await surroundingsOf(reader, options, near)
  const judged = around.map((one, i) => ({ around: one, hits: found[i]! }))
  return {
    found,
    confidenceOf: await confidencesOfHits(reader, queries, judged, request.weights)
  }
}

/** What lies near each query, where the search of the hits does not say it. */
async function surroundingsOf(
  reader: CollectionReader,
  { vectors, weights, searchBudget }: SearchQuery,
  near: Around
): Promise<Surroundings[]> {
  const found = await reader.searchAround({ vectors, weights, searchBudget, k: 1 }, near)
  return found.map(({ around }) => around)
}

/** The threshold of the collection, where it is one for the scores of this request. */
function thresholdFor(
  { spec, counts: { items } }: CollectionReader,
  request: SearchRequest
): number | undefined {
  const { score_thres: set, calibrated_threshold: calibrated } = spec.settings
  if (calibrated === undefined) return set
  return thresholdOf(spec.settings, comparedIn(spec, items, request)).score_thres ?? undefined
}

function searchOptions(
  reader: CollectionReader,
  queries: SearchQueries,
  request: SearchRequest,
  { k, within }: { k: number; within: { not: Filter } | undefined }
): SearchQuery {
  const { group_by: groupBy } = request
  const asked = askFor(request, k, queries.except)
  const grouping = groupBy === undefined ? {} : { groupBy, groupSize: asked.groupSize }
  return {
    vectors: queries.vectors,
    weights: request.weights,
    k: asked.k,
    searchBudget: request.search_budget,
    exact: request.exact,
    hammingRadius: request.hamming_radius,
    scoreThres: request.score_thres ?? thresholdFor(reader, request),
    filter: request.filter === undefined ? within : bothOf(request.filter, within),
    ...grouping
  }
}
