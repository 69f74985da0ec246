// The tasks that a child has started, in a file without a name that child and supervisor have open.
// A written record survives any death of the child. The supervisor reads the file only after a
// death: a message per picture would wake the supervisor, and could still be on its way.
import { randomUUID } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** File descriptor of the file in the child. */
export const startedTasksFd = 4

/** Number of records: more than the unfinished tasks that a child can have started. */
const records = 4096
/** Size of a record in bytes: f64 [count, task id]; the count starts at 1. */
const recordBytes = 16

export interface StartedTasks {
  /** Ids of the most recently started tasks. */
  readonly ids: ReadonlySet<number>
  /** Number of started tasks. */
  readonly count: number
}

export interface StartedTasksFile {
  readonly fd: number
  read(): StartedTasks
  close(): void
}

/** Opens the file in `dir`; the file exists until it is closed. */
export function openStartedTasksFile(dir: string): StartedTasksFile {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, `touched-${randomUUID()}`)
  const fd = openSync(path, 'wx+')
  try {
    unlinkSync(path)
    // Written in full length at the start: a disk that fills up later kills no child.
    writeSync(fd, new Uint8Array(records * recordBytes))
  } catch (error) {
    closeSync(fd)
    throw error
  }
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

/** The child's side: the function returns when the record of the started task is written. */
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
