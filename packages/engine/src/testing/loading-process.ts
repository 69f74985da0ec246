// A process that opens the segments of a collection as a replica does, and tells what memory that
// took. What downloads leave behind is not counted: the files are there before.
import { readFileSync } from 'node:fs'
import { readWhole } from '../files/read-whole.ts'
import { decodeItemTable } from '../segment/item-table.ts'
import { readSegmentIndex } from '../vector-index/open-index.ts'
import type { SegmentConfig } from '../vector-index/segment-config.ts'

export interface LoadTask {
  segments: { index: string; meta: string }[]
  config: SegmentConfig
  dim: number
}

function anonymousBytes(): number {
  ;(globalThis as { gc?: () => void }).gc!()
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]
  return Number(kib) * 1024
}

/** Resolves with the memory after the load, less before; without file pages. */
async function load({ segments, config, dim }: LoadTask): Promise<number> {
  const before = anonymousBytes()
  const opened = []
  for (const { index, meta } of segments)
    opened.push({
      index: await readSegmentIndex(index, config, { dim }),
      table: decodeItemTable(await readWhole(meta))
    })
  const residentBytes = anonymousBytes() - before
  for (const { index } of opened) index.close()
  return residentBytes
}

process.once('message', (task: LoadTask) => {
  load(task).then(
    (bytes) => process.send!(bytes, () => process.exit()),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    }
  )
})
