// The way of a process's own log lines to its output. A full disk, a closed pipe or a reader that
// stands still never blocks and never ends the process: lines are dropped and counted.
import { fstatSync, write, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { maxWaitingLogBytes } from '../contract/limits.ts'
import { createLogQueue, type LogQueue, type SendLog } from './log-queue.ts'

export type LogStream = Pick<LogQueue, 'write' | 'flush'>

/** Lines go to a descriptor of this process: 1 or 2. */
export function createLogStream({ app, fd }: { app: string; fd: 1 | 2 }): LogStream {
  const stream = fd === 1 ? process.stdout : process.stderr
  // Without a listener an error of the stream would end the process.
  stream.on('error', () => undefined)
  const isFile = isLikeFile(fd)
  const queue = createLogQueue({
    send: isFile ? sendToFile(fd) : (text, done) => void stream.write(text, done),
    maxBytes: maxWaitingLogBytes,
    lostLine: (lost, reason) => lostLogLine(app, lost, reason)
  })
  process.on('exit', () => {
    const rest = queue.take()
    if (rest.length === 0) return
    try {
      if (isFile) writeSync(fd, rest)
      else stream.write(rest)
    } catch {
      // The process ends, and there is no other place for its lines.
    }
  })
  return queue
}

/** Everything but pipes, sockets and terminals, which Node writes without blocking. */
function isLikeFile(fd: number): boolean {
  const stats = fstatSync(fd)
  return !stats.isFIFO() && !stats.isSocket() && !isatty(fd)
}

/** A line in the form of the other lines of pino. */
export const lostLogLine = (app: string, lost: number, reason: string): string =>
  JSON.stringify({
    level: 40,
    time: new Date().toISOString(),
    app,
    pid: process.pid,
    lost,
    reason,
    msg: 'log lines were lost'
  })

/**
 * Appends with asynchronous writes. A text that was cut off is ended by a newline before the next
 * text.
 */
export function sendToFile(fd: number): SendLog {
  let isTorn = false
  return (text, done) => {
    const bytes = isTorn ? Buffer.concat([Buffer.from('\n'), text]) : text
    const writeFrom = (offset: number): void =>
      write(fd, bytes, offset, (error, written) => {
        const reached = offset + written
        if (error) {
          isTorn ||= offset > 0
          return done(error)
        }
        if (reached < bytes.length) return writeFrom(reached)
        isTorn = false
        done()
      })
    writeFrom(0)
  }
}
