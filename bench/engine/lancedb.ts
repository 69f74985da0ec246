// Types of the package that a Node user would take instead, for the calls used here. A missing
// package is installed into bench/.
import { loadPeer } from '../peer.ts'

export interface LanceQuery {
  select(columns: string[]): LanceQuery
  limit(k: number): LanceQuery
  distanceType(type: 'dot'): LanceQuery
  nprobes(n: number): LanceQuery
  ef(n: number): LanceQuery
  refineFactor(n: number): LanceQuery
  toArray(): Promise<{ id: string; label: string }[]>
}

export interface LanceTable {
  add(data: unknown): Promise<unknown>
  delete(predicate: string): Promise<unknown>
  createIndex(column: string, options: { config: unknown; replace: boolean }): Promise<void>
  optimize(options?: { cleanupOlderThan: Date; deleteUnverified: boolean }): Promise<unknown>
  checkoutLatest(): Promise<void>
  vectorSearch(vector: Float32Array): LanceQuery
  close(): void
}

export interface LanceConnection {
  createTable(name: string, data: unknown): Promise<LanceTable>
  openTable(name: string): Promise<LanceTable>
  close(): void
}

export interface Lance {
  connect(uri: string, options?: { readConsistencyInterval?: number }): Promise<LanceConnection>
  Index: Record<'hnswSq' | 'ivfFlat' | 'ivfPq', (options: Record<string, unknown>) => unknown>
}

/** Types of apache-arrow: enough to pass vectors without a JavaScript object for each. */
export interface Arrow {
  makeData(options: Record<string, unknown>): unknown
  makeVector(data: unknown): unknown
  vectorFromArray(values: unknown[], type: unknown): unknown
  tableToIPC(table: unknown, type: 'stream'): Uint8Array
  Table: new (columns: Record<string, unknown>) => unknown
  Field: new (name: string, type: unknown, nullable: boolean) => unknown
  FixedSizeList: new (length: number, field: unknown) => unknown
  Float32: new () => unknown
  Utf8: new () => unknown
}

export const tableName = 'bench'

export function loadLance(): Lance {
  // Otherwise the package's warnings go to the terminal.
  process.env.RUST_LOG ??= 'error'
  return loadPeer<Lance>('@lancedb/lancedb')
}

export const loadArrow = (): Arrow => loadPeer<Arrow>('apache-arrow')
