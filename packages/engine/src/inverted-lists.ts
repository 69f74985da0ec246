// Sparse rows turned round: for each index that occurs, the rows that have it and their values there. Outside Faiss, and exact.
import { setImmediate } from 'node:timers/promises'
import type { SparseRows } from '@likeness/shared/contract/vector-rows'

export interface InvertedLists {
  rowCount: number
  /** Indices that occur, ascending. */
  terms: Uint32Array
  /** [terms + 1] where the list of each begins in `rows` and `values`. */
  offsets: Uint32Array
  /** Ascending within a list. */
  rows: Int32Array
  values: Float32Array
}

/** A commit's rows take some milliseconds, a merge's seconds: other work gets its turn in between. */
const entriesPerTurn = 262_144

/** Pieces in row order. */
export async function invertRows(pieces: readonly SparseRows[]): Promise<InvertedLists> {
  const { terms, places, counts } = await countTerms(pieces)
  const offsets = new Uint32Array(terms.length + 1)
  terms.forEach((term, i) => (offsets[i + 1] = offsets[i]! + counts.get(term)!))
  const next = offsets.slice()
  const [rows, values] = [new Int32Array(offsets.at(-1)!), new Float32Array(offsets.at(-1)!)]
  let row = 0
  let turn = entriesPerTurn
  for (const piece of pieces) {
    for (let i = 0; i + 1 < piece.offsets.length; i++, row++) {
      for (let entry = piece.offsets[i]!; entry < piece.offsets[i + 1]!; entry++) {
        const at = next[places.get(piece.indices[entry]!)!]!++
        rows[at] = row
        values[at] = piece.values[entry]!
      }
      if ((turn -= piece.offsets[i + 1]! - piece.offsets[i]!) > 0) continue
      turn = entriesPerTurn
      await setImmediate()
    }
  }
  return { rowCount: row, terms, offsets, rows, values }
}

async function countTerms(pieces: readonly SparseRows[]) {
  const counts = new Map<number, number>()
  for (const { indices } of pieces) {
    for (let first = 0; first < indices.length; first += entriesPerTurn) {
      for (const term of indices.subarray(first, first + entriesPerTurn)) counts.set(term, (counts.get(term) ?? 0) + 1)
      await setImmediate()
    }
  }
  const terms = Uint32Array.from(counts.keys()).sort()
  return { terms, counts, places: new Map(Array.from(terms, (term, i) => [term, i])) }
}

/** Where the list of a term is, or -1. */
export function findTerm({ terms }: Pick<InvertedLists, 'terms'>, term: number): number {
  let low = 0
  let high = terms.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (terms[middle]! < term) low = middle + 1
    else high = middle
  }
  return terms[low] === term ? low : -1
}
