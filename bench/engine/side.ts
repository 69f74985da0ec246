// A compared side: a writer in this process, and options for a second process to open its files.
import type { Rows } from './rows.ts'

/** Search effort, in the side's own names. */
export type Effort = Record<string, number>

export interface Side {
  name: 'ours' | 'lancedb'
  /** Durable and searchable by another process when resolved. */
  insert(rows: Rows): Promise<void>
  remove(rows: readonly number[]): Promise<void>
  /**
   * Makes the indexes that search is tuned over, in turn; each replaces the index before. `only`:
   * makes this index alone.
   */
  indexes(only?: string): AsyncIterable<IndexTrial>
  /** Frees everything that the current version does not need. */
  tidy(): Promise<void>
  close(): Promise<void>
  /** Options for the second process. */
  readonly reader: ReaderOptions
}

export interface IndexTrial {
  name: string
  buildMs: number
  /** Efforts with `n` in the tuned place, and the bounds of n. */
  efforts: { effort: (n: number) => Effort; least: number; most: number }[]
}

export type ReaderOptions =
  | { side: 'ours'; dir: string; collectionId: string }
  | { side: 'lancedb'; dir: string }
