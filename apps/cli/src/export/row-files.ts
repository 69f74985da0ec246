// Writes the rows of an export as they arrive: vectors as plain float32, and both id maps. Memory
// holds a single part at a time, for a gallery of any size.
import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { decodeVector } from '@likeness/shared/contract/embedder'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { createIdMapWriter } from '../id-map/write-id-map.ts'
import { type ExportFolder, fileNames } from './export-folder.ts'
import type { RowLine } from './export-note.ts'

export const vectorsName = 'vectors.f32'

export interface RowCounts {
  items: number
  rows: number
}

/** PP-ShiTu's `path<TAB>label`: the delimiter is a tab, so spaces in both stay. */
const docOf = ({ id, label }: VectorLine): string => `${id}\t${label ?? ''}`

export async function writeRows(
  lines: AsyncIterable<VectorLine>,
  { folder, dim, onItem }: { folder: ExportFolder; dim: number; onItem: (items: number) => void }
): Promise<RowCounts> {
  const open = [vectorsName, fileNames.rows, fileNames.pickle].map((name) =>
    createWriteStream(folder.path(name))
  )
  const [vectors, rows, pickle] = open as [WriteStream, WriteStream, WriteStream]
  const failed = Promise.all(open.map((stream) => finished(stream)))
  failed.catch(() => undefined)
  const idMap = createIdMapWriter()
  const counts: RowCounts = { items: 0, rows: 0 }
  const write = async (stream: WriteStream, bytes: Uint8Array | string): Promise<void> => {
    // An error of the disk ends the wait.
    if (bytes.length > 0 && !stream.write(bytes))
      await Promise.race([once(stream, 'drain'), failed])
  }
  try {
    for await (const line of lines) {
      const values = decodeVector(line.vectors as string)
      await write(vectors, new Uint8Array(values.buffer))
      let text = ''
      for (let i = 0; i < values.length / dim; i++) {
        text += `${JSON.stringify(rowLine(line, i, counts.rows))}\n`
        await write(pickle, idMap.add(counts.rows, docOf(line)))
        counts.rows++
      }
      await write(rows, text)
      onItem(++counts.items)
    }
    await write(pickle, idMap.end())
  } finally {
    for (const stream of open) stream.end()
  }
  await failed
  return counts
}

function rowLine(
  { id, label = null, metadata, width = 0, height = 0, rows }: VectorLine,
  i: number,
  row: number
): RowLine {
  return { row, id, label, ...(metadata && { metadata }), width, height, ...rows![i]! }
}
