// The log of a child process: its output, read from pipes and written to a file that is bounded in
// size, with some older files beside it. A full disk loses lines and counts them; it never holds up
// the child.
import type { ChildProcess } from 'node:child_process'
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { maxLogFileBytes, maxLogFiles, maxWaitingLogBytes } from '@likeness/shared/contract/limits'
import { createLogQueue, type SendLog } from '@likeness/shared/process/log-queue'
import { lostLogLine, type LogStream, sendToFile } from '@likeness/shared/process/log-stream'

const tailBytes = 8192
/** Most time in which the last words of an ended process arrive. */
const lastWordsMs = 300
const privateFile = 0o600

/** Opens for appending, after older files were moved away. The caller closes the descriptor. */
export function openLogFile(file: string, longestBytes = maxLogFileBytes): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size >= longestBytes) moveAway(file)
  return openSync(file, 'a', privateFile)
}

/** `file` becomes `file.1`, `file.1` becomes `file.2`; the oldest is replaced. */
function moveAway(file: string): void {
  for (let age = maxLogFiles - 1; age > 0; age--) {
    const from = age === 1 ? file : `${file}.${age - 1}`
    if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${file}.${age}`)
  }
}

/** Appends to the file, and begins a new one when the file would become too long. */
function sendRotating(file: string, longestBytes: number): SendLog {
  let open: { fd: number; size: number; send: SendLog } | undefined
  function ready(bytes: number) {
    if (open !== undefined && open.size > 0 && open.size + bytes > longestBytes) {
      closeSync(open.fd)
      open = undefined
      moveAway(file)
    }
    if (open === undefined) {
      const fd = openLogFile(file, longestBytes)
      open = { fd, size: fstatSync(fd).size, send: sendToFile(fd) }
    }
    return open
  }
  return (text, done) => {
    try {
      const place = ready(text.length)
      place.size += text.length
      place.send(text, done)
    } catch (error) {
      done(error as Error)
    }
  }
}

/** Log lines of a process in a bounded file. */
export function createLogFile(
  file: string,
  app: string,
  longestBytes = maxLogFileBytes
): LogStream {
  return createLogQueue({
    send: sendRotating(file, longestBytes),
    maxBytes: maxWaitingLogBytes,
    lostLine: (lost, reason) => lostLogLine(app, lost, reason)
  })
}

/** Writes the child's output to the log. Returns the last lines that the child said. */
export function followOutput(
  { stdout, stderr }: Pick<ChildProcess, 'stdout' | 'stderr'>,
  log: Pick<LogStream, 'write'>
): (count: number) => Promise<string[]> {
  let tail = ''
  const ends = [stdout, stderr].map((stream) => {
    stream?.on('data', (bytes: Buffer) => {
      log.write(bytes)
      tail = (tail + bytes.toString('utf8')).slice(-tailBytes)
    })
    stream?.on('error', () => undefined)
    return new Promise<void>((resolve) =>
      // Without free file handles there are no streams at all.
      stream ? stream.once('close', () => resolve()) : resolve()
    )
  })
  return async (count) => {
    // A grandchild may hold the pipes open.
    await Promise.race([Promise.all(ends), pause(lastWordsMs)])
    return linesOf(tail).slice(-count)
  }
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '')

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
    return linesOf(bytes.toString('utf8', 0, read)).slice(-count)
  } finally {
    closeSync(descriptor)
  }
}
