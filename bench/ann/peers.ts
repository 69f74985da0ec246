// Types of the two packages that a Node user would take instead, for the calls used here.
import { loadPeer } from '../peer.ts'

export interface HnswlibIndex {
  initIndex(maxElements: number, m: number, efConstruction: number, seed: number): void
  addPoint(point: number[], label: number): void
  setEf(ef: number): void
  searchKnn(query: number[], k: number): { neighbors: number[] }
}

export interface UsearchIndex {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void
  search(queries: Float32Array, k: number, threads: number): { keys: BigUint64Array }
  save(path: string): void
  load(path: string): void
}

export interface Peers {
  hnswlib: { HierarchicalNSW: new (space: 'ip', dim: number) => HnswlibIndex }
  usearch: { Index: new (options: Record<string, unknown>) => UsearchIndex }
}

export const loadPeers = (): Peers => ({
  hnswlib: loadPeer<Peers['hnswlib']>('hnswlib-node'),
  usearch: loadPeer<Peers['usearch']>('usearch')
})
