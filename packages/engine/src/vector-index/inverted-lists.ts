// Inverted sparse rows: for each index that occurs, the rows that have it and their values there.
// Not part of Faiss, and exact.
import { setImmediate } from 'node:timers/promises'
import type { SparseRows } from '@likeness/shared/contract/vector-rows'
import { TermTable } from './term-table.ts'

export interface InvertedLists {
  rowCount: number
  /** Indices that occur, ascending. */
  terms: Uint32Array
  /** [terms + 1]: begin of each term's list in `rows` and `values`. */
  offsets: Uint32Array
  /** Ascending within a list. */
  rows: Int32Array
  values: Float32Array
}

/**
 * Entries handled before other work gets a turn. They take some milliseconds; a commit has a few
 * such turns, a merge hundreds.
 */
const entriesPerTurn = 65_536

/** Pieces must be in row order. */
export async function invertRows(pieces: readonly SparseRows[]): Promise<InvertedLists> {
  const table = new TermTable()
  const numbered: Uint32Array[] = []
  for (const { indices } of pieces) numbered.push(await numberTerms(table, indices))
  const { terms, numbers, counts } = table.sorted()
  const offsets = new Uint32Array(terms.length + 1)
  const next = new Uint32Array(terms.length)
  counts.forEach((count, i) => {
    next[numbers[i]!] = offsets[i]!
    offsets[i + 1] = offsets[i]! + count
  })
  const lists = {
    terms,
    offsets,
    rows: new Int32Array(offsets.at(-1)!),
    values: new Float32Array(offsets.at(-1)!)
  }
  let rowCount = 0
  for (const [i, piece] of pieces.entries()) {
    await place(piece, { terms: numbered[i]!, next, firstRow: rowCount }, lists)
    rowCount += piece.offsets.length - 1
  }
  return { rowCount, ...lists }
}

/** Returns for each entry the number that the table gives to its term. */
async function numberTerms(table: TermTable, indices: Uint32Array): Promise<Uint32Array> {
  const numbers = new Uint32Array(indices.length)
  for (let at = 0; at < indices.length; at++) {
    numbers[at] = table.add(indices[at]!)
    if (at % entriesPerTurn === 0) await setImmediate()
  }
  return numbers
}

/**
 * Puts the entries of a piece at the ends of their lists. `next`: these ends, by number of a term.
 */
async function place(
  { offsets, values }: SparseRows,
  { terms, next, firstRow }: { terms: Uint32Array; next: Uint32Array; firstRow: number },
  lists: Pick<InvertedLists, 'rows' | 'values'>
): Promise<void> {
  let row = 0
  for (let entry = 0; entry < values.length; entry++) {
    while (offsets[row + 1]! <= entry) row++
    const at = next[terms[entry]!]!++
    lists.rows[at] = firstRow + row
    lists.values[at] = values[entry]!
    if (entry % entriesPerTurn === 0) await setImmediate()
  }
}

/** Returns the position of a term's list, or -1. */
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
