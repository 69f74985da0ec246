// A read-only process, like a replica: its memory is the memory of the index, without the memory of
// the build.
import { readFileSync } from 'node:fs'
import { FaissIndex } from '@likeness/faiss'

export interface ReaderTask {
  segments: { file: string; firstRow: number }[]
  queries: Float32Array
  dim: number
  k: number
  efforts: number[]
  mapLists: boolean
}

export interface ReaderResult {
  openS: number
  /** Memory of this process after opening, minus the memory before. */
  residentBytes: number
  searches: { effort: number; rows: Int32Array; ms: number[] }[]
}

/** Memory without file pages, which the kernel may drop at any time. */
function anonymousBytes(): number {
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  if (kib === undefined) throw new Error('/proc/self/status has no RssAnon')
  return Number(kib) * 1024
}

/**
 * Searches like a collection reader: every segment at once on the addon's pool, then the best of
 * all.
 */
async function searchOne(
  indexes: { index: FaissIndex; firstRow: number }[],
  query: Float32Array,
  k: number,
  effort: number
): Promise<number[]> {
  const found = await Promise.all(
    indexes.map(async ({ index, firstRow }) => {
      const { ids, distances } = await index.search(query, { k, efSearch: effort, nprobe: effort })
      return Array.from(ids, (id, i) => ({
        row: id < 0 ? -1 : firstRow + id,
        distance: distances[i]!
      })).filter(({ row }) => row >= 0)
    })
  )
  return found
    .flat()
    .sort((a, b) => b.distance - a.distance)
    .slice(0, k)
    .map(({ row }) => row)
}

async function run({
  segments,
  queries,
  dim,
  k,
  efforts,
  mapLists
}: ReaderTask): Promise<ReaderResult> {
  const before = anonymousBytes()
  const startedMs = performance.now()
  const indexes = await Promise.all(
    segments.map(async ({ file, firstRow }) => ({
      index: await FaissIndex.read(file, { mapLists }),
      firstRow
    }))
  )
  const opened = {
    openS: (performance.now() - startedMs) / 1000,
    residentBytes: anonymousBytes() - before
  }
  const count = queries.length / dim
  const searches: ReaderResult['searches'] = []
  for (const effort of efforts) {
    const rows = new Int32Array(count * k).fill(-1)
    const ms: number[] = []
    for (let q = 0; q < count; q++) {
      const fromMs = performance.now()
      const best = await searchOne(indexes, queries.subarray(q * dim, (q + 1) * dim), k, effort)
      ms.push(performance.now() - fromMs)
      rows.set(best, q * k)
    }
    searches.push({ effort, rows, ms })
  }
  return { ...opened, searches }
}

process.once('message', (task: ReaderTask) => {
  run(task).then(
    (result) => process.send!(result, () => process.exit()),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    }
  )
})
