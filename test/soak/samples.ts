// What a soak looks at: memory of all processes, files of the store, latencies.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stack } from '../../apps/cli/src/stack/start-stack.ts'
import type { Latencies } from './load.ts'

export interface Sample {
  atMs: number
  /** Of all processes of the system and their children together. */
  memoryMb: number
  files: number
  operations: number
  searchP95Ms: number
  uploadP95Ms: number
}

const bytesPerPage = 4096

async function memoryOf(pid: number): Promise<number> {
  const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
  const pages = Number((await read('statm')).split(' ')[1] ?? 0)
  const children = (await read(`task/${pid}/children`)).split(' ').filter(Boolean).map(Number)
  const below = await Promise.all(children.map(memoryOf))
  return below.reduce((sum, bytes) => sum + bytes, pages * bytesPerPage)
}

/** A folder may go while it is being counted. */
async function countFiles(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  let files = 0
  for (const entry of entries)
    files += entry.isDirectory() ? await countFiles(join(folder, entry.name)) : 1
  return files
}

const p95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? NaN

export async function sample({
  stack,
  latencies
}: {
  stack: Stack
  latencies: Latencies
}): Promise<Sample> {
  const pids = Object.values(stack.pids()).filter((pid) => pid !== undefined)
  const memory = await Promise.all(pids.map(memoryOf))
  return {
    atMs: Date.now(),
    memoryMb: memory.reduce((sum, bytes) => sum + bytes, 0) / 1e6,
    files: await countFiles(join(stack.dataDir, 'objects')),
    operations: latencies.operations,
    searchP95Ms: p95(latencies.searchMs),
    uploadP95Ms: p95(latencies.uploadMs)
  }
}
