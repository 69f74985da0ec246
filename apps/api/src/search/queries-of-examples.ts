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
 * How far the mean of the negative examples pushes the query away from that of the positive ones.
 * Chosen on gallery pictures of marks and groceries (docs/quality.md).
 */
const weightOfNegatives = 0.5

/** `answers`: what the embed server made of each picture, by its example. */
export async function queriesOfExamples(
  reader: CollectionReader,
  { strategy, examples }: SearchExamples,
  answers: ReadonlyMap<SearchExample, EmbedAnswer>
): Promise<SearchQueries> {
  const { spec } = reader
  const rows: VectorRows[] = []
  for (const example of examples) rows.push(await rowsOf(reader, example, answers))
  const ids = examples.flatMap((example) => (example.kind === 'item' ? [example.id] : []))
  const { vectors, objectOf } =
    strategy === 'mean' ? meanOf(examples, rows, spec) : eachOf(rows, spec.embedding.dim)
  return {
    objects: Array.from({ length: objectOf.at(-1)! + 1 }, () => ({
      kind: 'examples',
      box: null,
      class: null,
      detector_score: null
    })),
    vectors,
    objectOf,
    picture: null,
    except: new Set(ids)
  }
}

type Queries = Pick<SearchQueries, 'vectors' | 'objectOf'>

/** Makes an object of each example. */
function eachOf(rows: readonly VectorRows[], dim: number): Queries {
  return {
    vectors: joinRows(rows),
    objectOf: rows.flatMap((own, i) => Array<number>(rowCount(own, dim)).fill(i))
  }
}

/** Makes one object, with a row for each size. An example with fewer sizes repeats its last. */
function meanOf(
  examples: readonly SearchExample[],
  rows: readonly VectorRows[],
  { embedding, metric }: CollectionSpec
): Queries {
  if (metric === 'hamming' || rows.some(isSparse))
    throw appError(
      'invalid_request',
      'examples: vectors that are sparse, or compared bit by bit, have no mean: use the strategy best'
    )
  const { dim } = embedding
  const sizes = Math.max(...rows.map((own) => rowCount(own, dim)))
  const negatives = examples.filter(({ isNegative }) => isNegative).length
  const away = negatives > 0 ? weightOfNegatives : 0
  const weights = examples.map(({ isNegative }) =>
    isNegative ? -away / negatives : (1 + away) / (examples.length - negatives)
  )
  const means = Array.from({ length: sizes }, (_, size) => {
    const vectors = rows.map((own) => {
      const place = Math.min(size, rowCount(own, dim) - 1)
      return denseRows(rowsBetween(own, dim, place, place + 1))
    })
    return meanVector(vectors, weights, embedding)
  })
  if (means.some((mean) => mean.every((value) => value === 0)))
    throw appError('invalid_vector', 'examples: their mean is zero, which has no direction')
  return { vectors: joinRows(means), objectOf: means.map(() => 0) }
}

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
