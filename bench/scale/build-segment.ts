// A segment file of the run: makes blocks, adds them to the index, searches them exactly for the
// sample of queries, and frees them.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { FaissIndex, type IndexSpec } from '@likeness/faiss'
import { type Best, bestOfBlock, mergeBest } from './exact-best.ts'
import { blockOf, rowsPerBlock } from './seeded-stream.ts'

export interface SegmentPlan {
  spec: IndexSpec
  /** Blocks first to end - 1. */
  first: number
  end: number
  rows: number
  queries: Float32Array
  k: number
  file: string
}

/** Record beside the file: a restarted run continues after the file. */
export interface SegmentRecord {
  file: string
  firstRow: number
  rows: number
  /** Time of add alone, without making the rows and searching them exactly. */
  addS: number
  best: Best
}

const recordOf = (file: string): string => `${file}.json`

export async function recordedSegment(file: string): Promise<SegmentRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordOf(file), 'utf8')) as SegmentRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export async function buildSegment({
  spec,
  first,
  end,
  rows,
  queries,
  k,
  file
}: SegmentPlan): Promise<SegmentRecord> {
  const { dim } = spec
  const index = FaissIndex.create(spec)
  const record: SegmentRecord = {
    file,
    firstRow: first * rowsPerBlock,
    rows: 0,
    addS: 0,
    best: Array.from({ length: queries.length / dim }, () => [])
  }
  try {
    for (let block = first; block < end; block++) {
      const made = blockOf(block, { rows, dim })
      record.best = mergeBest(k, record.best, await bestOfBlock(made, queries, { dim, k }))
      const startedMs = performance.now()
      await index.add(made.vectors)
      record.addS += (performance.now() - startedMs) / 1000
      record.rows += made.vectors.length / dim
    }
    await index.write(file)
  } finally {
    index.close()
  }
  await writeFile(`${recordOf(file)}.part`, JSON.stringify(record))
  await rename(`${recordOf(file)}.part`, recordOf(file))
  return record
}
