// The index of sparse segments: inverted lists behind the common interface of segment indexes.
import { searchInverted, type SearchResult } from '@likeness/faiss'
import {
  isSparse,
  rowCount,
  type SparseRows,
  type VectorRows
} from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { readInvertedFile, writeInvertedFile } from './inverted-file.ts'
import { findTerm, type InvertedLists, invertRows } from './inverted-lists.ts'
import type { SegmentIndex } from './segment-index.ts'

function sparse(vectors: VectorRows): SparseRows {
  if (!isSparse(vectors)) throw appError('internal', 'dense rows for inverted lists')
  return vectors
}

/** Finds only rows that share an index with the query, even when these are fewer than k. */
function searchLists(
  lists: InvertedLists,
  { indices, values }: SparseRows,
  { k, deleted }: { k: number; deleted: Uint8Array }
): Promise<SearchResult> {
  const found = Array.from(indices, (term, i) => ({
    at: findTerm(lists, term),
    weight: values[i]!
  })).filter(({ at }) => at >= 0)
  const bounds = Float64Array.from(
    found.flatMap(({ at }) => [lists.offsets[at]!, lists.offsets[at + 1]!])
  )
  return searchInverted(lists, {
    bounds,
    weights: Float32Array.from(found, ({ weight }) => weight),
    k,
    deleted
  })
}

/**
 * Makes a method that is never called: rows are in a file of their own, every search is exact, and
 * merges build a new index.
 */
const never = (what: string) => async () => {
  throw appError('internal', `inverted lists have no ${what}`)
}

/** Makes an index. A new one takes rows and is then written; one that was read is searched. */
function overLists(dim: number, read: InvertedLists | undefined): SegmentIndex {
  const pieces: SparseRows[] = []
  let added = 0
  let lists = read
  const built = async (): Promise<InvertedLists> => (lists ??= await invertRows(pieces))
  return {
    kind: 'inverted',
    dim,
    metric: 'ip',
    storage: 'f32',
    get ntotal() {
      return read?.rowCount ?? added
    },
    async add(vectors) {
      if (lists !== undefined) throw appError('internal', 'rows for inverted lists that are made')
      pieces.push(sparse(vectors))
      added += rowCount(vectors, dim)
    },
    search: async (vectors, { k, deleted = new Uint8Array(0) }) =>
      await searchLists(await built(), sparse(vectors), { k, deleted }),
    reserve: async () => undefined,
    write: async (path) => await writeInvertedFile(path, await built(), dim),
    searchRows: never('search among some rows'),
    rangeSearch: never('radius'),
    reconstruct: never('rows'),
    reconstructRange: never('rows'),
    moveLists: never('lists of a quantizer'),
    renumber: never('graph'),
    close: () => undefined
  }
}

export const createInvertedIndex = (dim: number): SegmentIndex => overLists(dim, undefined)

/** Throws data_corrupt for any other file. */
export async function readInvertedIndex(path: string): Promise<SegmentIndex> {
  const { lists, dim } = await readInvertedFile(path)
  return overLists(dim, lists)
}
