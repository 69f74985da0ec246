// The two packages that a Node user would take instead: brought into this folder when they are missing, and as far as they are used here typed.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const benchDir = fileURLToPath(new URL('..', import.meta.url))

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

export function loadPeers(): Peers {
  const missing = ['hnswlib-node', 'usearch'].filter((name) => !existsSync(`${benchDir}node_modules/${name}`))
  if (missing.length > 0) {
    console.log(`installing ${missing.join(' and ')} into bench/ (once; a compiler is needed)`)
    const { status } = spawnSync('npm', ['run', 'peers'], { cwd: benchDir, stdio: ['ignore', 'ignore', 'inherit'] })
    if (status !== 0) throw new Error('the peers could not be installed: see above; try `npm run peers` in bench/')
  }
  const load = createRequire(`${benchDir}package.json`)
  return { hnswlib: load('hnswlib-node') as Peers['hnswlib'], usearch: load('usearch') as Peers['usearch'] }
}
