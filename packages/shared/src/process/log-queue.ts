// Log lines on their way to a slow or full place. Lines wait in bounded memory. A line that cannot
// be written is dropped and counted, and the count is written as soon as there is room.

/** Writes text; calls `done` once. `done` gets an error when a part of the text was not written. */
export type SendLog = (text: Buffer, done: (error?: Error | null) => void) => void

export interface LogQueueDeps {
  send: SendLog
  /** Most bytes that wait. */
  maxBytes: number
  /** Line that tells how many lines were lost, and why; without the line end. */
  lostLine: (lost: number, reason: string) => string
  /** Pause before the lost lines are reported, while nothing else is written. */
  retryMs?: number
}
export interface LogQueue {
  /** Whole lines. Never throws and never waits. */
  write(lines: string | Buffer): void
  /** Calls back when nothing is left to write, also after lines were dropped. */
  flush(done: () => void): void
  /** Takes what is not on its way yet: for the last try of a process that ends. */
  take(): Buffer
}

const newline = 0x0a

function countLines(text: Buffer): number {
  let count = 0
  for (let at = text.indexOf(newline); at !== -1; at = text.indexOf(newline, at + 1)) count++
  return Math.max(1, count)
}

export function createLogQueue({
  send,
  maxBytes,
  lostLine,
  retryMs = 1_000
}: LogQueueDeps): LogQueue {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let isSending = false
  let lost = 0
  let reason = ''
  let retry: NodeJS.Timeout | undefined
  const flushes: (() => void)[] = []

  function take(): Buffer {
    const parts = lost > 0 ? [Buffer.from(`${lostLine(lost, reason)}\n`), ...waiting] : waiting
    waiting = []
    waitingBytes = 0
    return Buffer.concat(parts)
  }

  function sent(lostBefore: number, lines: number, error: Error | null | undefined): void {
    isSending = false
    if (error) {
      lost += lines
      reason = error.message
      retry ??= setTimeout(() => {
        retry = undefined
        pump()
      }, retryMs)
      retry.unref()
    } else lost -= lostBefore
    if (waiting.length > 0 && !error) pump()
    else for (const done of flushes.splice(0)) done()
  }

  function pump(): void {
    if (isSending || (waiting.length === 0 && lost === 0)) return
    const lostBefore = lost
    const lines = waiting.reduce((sum, part) => sum + countLines(part), 0)
    const text = take()
    isSending = true
    send(text, (error) => sent(lostBefore, lines, error))
  }

  return {
    write(lines) {
      const bytes = typeof lines === 'string' ? Buffer.from(lines) : lines
      if (waitingBytes + bytes.length > maxBytes) {
        if (lost === 0) reason = 'lines came faster than they could be written'
        lost += countLines(bytes)
        return
      }
      waiting.push(bytes)
      waitingBytes += bytes.length
      pump()
    },
    flush(done) {
      if (isSending) flushes.push(done)
      else done()
    },
    take
  }
}
