// Which pictures a child has touched, in a file without a name that child and supervisor have open. What is written there outlives the child at once,
// whatever it dies of, and the supervisor reads it only then: a message for each picture would wake it, and could still be on its way.
import { randomUUID } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Where a child has the file. */
export const startedTasksFd = 4

/** More than a child has touched and not finished at any time. */
const records = 4096
/** f64 [count, task id] each, the count from 1. */
const recordBytes = 16

export interface StartedTasks {
  /** Of the tasks touched last. */
  readonly ids: ReadonlySet<number>
  /** How many there were. */
  readonly count: number
}

export interface StartedTasksFile {
  readonly fd: number
  read(): StartedTasks
  close(): void
}

/** In `dir`, until it is closed. */
export function openStartedTasksFile(dir: string): StartedTasksFile {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, `touched-${randomUUID()}`)
  const fd = openSync(path, 'wx+')
  unlinkSync(path)
  // Whole from the beginning: a disk that fills up later costs no child.
  writeSync(fd, new Uint8Array(records * recordBytes))
  return {
    fd,
    read() {
      const values = new Float64Array(2 * records)
      readSync(fd, new Uint8Array(values.buffer), 0, records * recordBytes, 0)
      const written = Array.from({ length: records }, (_, i) => ({
        count: values[2 * i]!,
        id: values[2 * i + 1]!
      })).filter(({ count }) => count > 0)
      return {
        ids: new Set(written.map(({ id }) => id)),
        count: Math.max(0, ...written.map(({ count }) => count))
      }
    },
    close: () => closeSync(fd)
  }
}

/** The child's side: the function returns when the touch is written. */
export function createStartedTasksWriter(fd: number): (id: number) => void {
  const record = new Float64Array(2)
  const bytes = new Uint8Array(record.buffer)
  let count = 0
  return (id) => {
    count += 1
    record.set([count, id])
    writeSync(fd, bytes, 0, recordBytes, (count % records) * recordBytes)
  }
}
