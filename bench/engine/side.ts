// What is compared: a writer in this process, and how a second process opens what it wrote.
import type { Rows } from './rows.ts'

/** How hard a search tries: named as the side names it. */
export type Effort = Record<string, number>

export interface Side {
  name: 'ours' | 'lancedb'
  /** Durable and searchable by another process when resolved. */
  insert(rows: Rows): Promise<void>
  remove(rows: readonly number[]): Promise<void>
  /** Makes the indexes that search is tuned over, one after the other; each replaces the one before. `only`: just that. */
  indexes(only?: string): AsyncIterable<IndexTrial>
  /** Lets go of everything that the current version does not need. */
  tidy(): Promise<void>
  close(): Promise<void>
  /** For the second process. */
  readonly reader: ReaderOptions
}

export interface IndexTrial {
  name: string
  buildMs: number
  /** Efforts with `n` in the place that is tuned, and the bounds of n. */
  efforts: { effort: (n: number) => Effort; least: number; most: number }[]
}

export type ReaderOptions =
  | { side: 'ours'; dir: string; collectionId: string }
  | { side: 'lancedb'; dir: string }
