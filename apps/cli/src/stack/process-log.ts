// The log file of a child process, and its last lines for the message when the child does not
// start.
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs'

const rotateBytes = 16 * 1024 * 1024
const tailBytes = 8192

/** Opens for appending; a large file is kept once as `.1`. The caller closes the descriptor. */
export function openProcessLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > rotateBytes) renameSync(file, `${file}.1`)
  return openSync(file, 'a')
}

/** The last `count` lines at or after byte `fromBytes`. */
export function readLastLines(
  file: string,
  { count, fromBytes }: { count: number; fromBytes: number }
): string[] {
  const descriptor = openSync(file, 'r')
  try {
    const size = fstatSync(descriptor).size
    const start = Math.max(fromBytes, size - tailBytes, 0)
    const bytes = Buffer.alloc(Math.max(0, size - start))
    const read = readSync(descriptor, bytes, 0, bytes.length, start)
    return bytes
      .toString('utf8', 0, read)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-count)
  } finally {
    closeSync(descriptor)
  }
}
