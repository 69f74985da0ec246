// The queries of a search by examples. An example is seen as a whole, at each size of the gallery's
// views, or in its box.
import type { CollectionReader } from '@likeness/engine/contract'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { decodeVector, type EmbedAnswer } from '@likeness/shared/contract/embedder'
import { meanVector } from '@likeness/shared/contract/mean-vector'
import {
  denseRows,
  isSparse,
  joinRows,
  rowCount,
  rowsBetween,
  type VectorRows
} from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { parseVector } from './query-vector.ts'
import type { SearchExample, SearchExamples } from './search-examples.ts'
import type { SearchQueries } from './search-queries.ts'

/**
 * How far the mean of the negative examples moves a query away. Chosen on gallery pictures of marks
 * and groceries (bench/examples.ts).
 */
const weightOfNegatives = 0.5

/** `answers`: what the embed server made of each picture, by its example. */
export async function queriesOfExamples(
  reader: CollectionReader,
  { strategy, examples }: SearchExamples,
  answers: ReadonlyMap<SearchExample, EmbedAnswer>
): Promise<SearchQueries> {
  const { spec } = reader
  const positive: VectorRows[] = []
  const negative: VectorRows[] = []
  for (const example of examples)
    (example.isNegative ? negative : positive).push(await rowsOf(reader, example, answers))
  const groups = strategy === 'mean' ? [positive] : positive.map((one) => [one])
  const queries = groups.map((group) => queryOf(group, negative, spec))
  return {
    objects: queries.map(() => ({
      kind: 'examples',
      box: null,
      class: null,
      detector_score: null
    })),
    vectors: joinRows(queries),
    objectOf: queries.flatMap((rows, i) =>
      Array<number>(rowCount(rows, spec.embedding.dim)).fill(i)
    ),
    picture: null,
    except: new Set(examples.flatMap((one) => (one.kind === 'item' ? [one.id] : [])))
  }
}

/**
 * Returns a row for each size: the mean of the positive rows of that size, moved away from the mean
 * of the negative ones. An example with fewer sizes repeats its last.
 */
function queryOf(
  positive: readonly VectorRows[],
  negative: readonly VectorRows[],
  { embedding, metric }: CollectionSpec
): VectorRows {
  const all = [...positive, ...negative]
  if (all.length === 1) return all[0]!
  if (metric === 'hamming' || all.some(isSparse))
    throw appError(
      'invalid_request',
      'examples: vectors that are sparse, or compared bit by bit, have no mean: use the strategy best, without negative examples'
    )
  const { dim } = embedding
  const away = negative.length > 0 ? weightOfNegatives : 0
  const weights = [
    ...positive.map(() => (1 + away) / positive.length),
    ...negative.map(() => -away / negative.length)
  ]
  const sizes = Math.max(...all.map((rows) => rowCount(rows, dim)))
  const means = Array.from({ length: sizes }, (_, size) =>
    meanVector(
      all.map((rows) => rowOf(rows, Math.min(size, rowCount(rows, dim) - 1), dim)),
      weights,
      embedding
    )
  )
  if (means.some((mean) => mean.every((value) => value === 0)))
    throw appError('invalid_vector', 'examples: their mean is zero, which has no direction')
  return joinRows(means)
}

const rowOf = (rows: VectorRows, place: number, dim: number): Float32Array =>
  denseRows(rowsBetween(rows, dim, place, place + 1))

async function rowsOf(
  reader: CollectionReader,
  example: SearchExample,
  answers: ReadonlyMap<SearchExample, EmbedAnswer>
): Promise<VectorRows> {
  if (example.kind === 'vector') return parseVector(example.vector, reader.spec)
  if (example.kind === 'item') return rowsOfItem(reader, example)
  const { objects } = answers.get(example)!
  const seen = objects.filter(({ kind }) => kind === 'whole' || kind === 'given')
  return joinRows(seen.map(({ vector }) => decodeVector(vector)))
}

/**
 * Returns the rows of the upright whole picture: the first ones that are no subject, one for each
 * size. An item that came as vectors has no sizes: its first vector counts.
 */
async function rowsOfItem(
  reader: CollectionReader,
  { id, name }: { id: string; name: string }
): Promise<VectorRows> {
  const [item, vectors] = [await reader.getItem(id), await reader.getVectors(id)]
  if (item === undefined || vectors === undefined)
    throw appError('item_not_found', `${name}: the collection has no item with this id`)
  const { settings, embedding } = reader.spec
  const first = Math.max(
    0,
    item.rows.findIndex(({ kind }) => kind !== 'subject')
  )
  const sizes = item.imageKey === null ? 1 : Math.max(1, settings.view_sizes.length)
  const end = Math.min(item.rows.length, first + sizes)
  return rowsBetween(vectors, embedding.dim, first, end)
}
