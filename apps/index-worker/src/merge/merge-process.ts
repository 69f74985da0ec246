// A separate process for merges: starts when a merge is due, and runs a single merge at a time. The
// process ends when it was idle for a while, has grown large, is silent for too long or uses too
// much memory. An end only costs the running merge.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { BuildMerge, MergeResult, MergeTask } from '@likeness/engine'
import { createMutex } from '@likeness/shared/data/mutex'
import { appError, isErrorCode } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { FromMerger, ToMerger } from './merge-messages.ts'

export interface MergeProcessOptions {
  /** Name of the process's folder. */
  name: string
  env: Record<string, string | undefined>
  /** Node arguments, e.g. `--import tsx`. */
  execArgv: readonly string[]
  /** Limit of resident bytes, beside the bytes of an idle process. */
  memoryBytes: number
  logger: Logger
  /** Silence in milliseconds after which the process counts as hung. */
  hungAfterMs?: number
  idleAfterMs?: number
}
export interface MergeProcess {
  /** Rejects with index_failed when the process ends or the signal aborts. */
  build: BuildMerge
  pid(): number | undefined
  close(): Promise<void>
}

const entry = fileURLToPath(new URL('./merge-main.ts', import.meta.url))
const listenEveryMs = 1_000
const idleProcessBytes = 256 * 1024 * 1024
/**
 * Limit in bytes above which the process ends after a merge. Native memory does not return to the
 * system by itself.
 */
const keptBelowBytes = 512 * 1024 * 1024
const bytesPerMebibyte = 1024 * 1024

interface Running {
  forked: ChildProcess
  rssBytes: number
  /** Reason for ending the process. */
  reason: string | undefined
  listener: ((message: FromMerger) => void) | undefined
  gone: Promise<void>
  end(reason: string): void
}

export function createMergeProcess({
  name,
  env,
  execArgv,
  memoryBytes,
  logger,
  hungAfterMs = 120_000,
  idleAfterMs = 120_000
}: MergeProcessOptions): MergeProcess {
  const mutex = createMutex()
  let running: Running | undefined
  let idle: NodeJS.Timeout | undefined

  function start(): Running {
    const heapMebibytes = Math.max(512, Math.floor(memoryBytes / 2 / bytesPerMebibyte))
    const forked = fork(entry, [name], {
      env,
      execArgv: [...execArgv, `--max-old-space-size=${heapMebibytes}`],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
    forked.on('error', (error) =>
      logger.debug({ err: error, merger: forked.pid }, 'merge process reported an error')
    )
    // 'exit' may come before the last messages. Only both events together are the end.
    const ended = new Promise<void>((resolve) => forked.once('exit', () => resolve()))
    const silent = new Promise<void>((resolve) => forked.once('disconnect', () => resolve()))
    const one: Running = {
      forked,
      rssBytes: 0,
      reason: undefined,
      listener: undefined,
      gone: Promise.all([ended, silent]).then(() => undefined),
      end(reason) {
        one.reason ??= reason
        forked.kill('SIGKILL')
      }
    }
    watch(one)
    return one
  }

  function watch(one: Running): void {
    let unheardTicks = 0
    // Counts ticks of our own loop, so that a pause of the whole machine does not look like a hang.
    const timer = setInterval(() => {
      if (++unheardTicks * listenEveryMs >= hungAfterMs) one.end(`was silent for ${hungAfterMs} ms`)
    }, listenEveryMs)
    timer.unref()
    one.forked.on('message', (message: FromMerger) => {
      unheardTicks = 0
      if (message.kind !== 'alive') return one.listener?.(message)
      one.rssBytes = message.rssBytes
      if (message.rssBytes > memoryBytes + idleProcessBytes)
        one.end(`used ${message.rssBytes} bytes`)
    })
    void one.gone.then(() => {
      clearInterval(timer)
      if (running === one) running = undefined
    })
  }

  /** Returns the answer to a task; rejects when the process ends first. */
  function ask(
    one: Running,
    task: MergeTask,
    signal: AbortSignal | undefined
  ): Promise<MergeResult> {
    const giveUp = (): void => one.end('was given up')
    const answer = new Promise<MergeResult>((resolve, reject) => {
      one.listener = (message) => {
        if (message.kind === 'merged') resolve(message.result)
        if (message.kind === 'failed')
          reject(
            appError(isErrorCode(message.code) ? message.code : 'index_failed', message.message)
          )
      }
      void one.gone.then(() =>
        reject(
          appError(
            'index_failed',
            `the merge process ${one.reason ?? `ended with ${one.forked.exitCode ?? one.forked.signalCode}`}`
          )
        )
      )
      signal?.addEventListener('abort', giveUp)
      const message: ToMerger = { task }
      // A failed send means that the process is ending. `gone` then ends the merge.
      if (one.forked.connected) one.forked.send(message, () => undefined)
    })
    return answer.finally(() => {
      one.listener = undefined
      signal?.removeEventListener('abort', giveUp)
    })
  }

  async function buildNow(task: MergeTask, signal: AbortSignal | undefined): Promise<MergeResult> {
    signal?.throwIfAborted()
    clearTimeout(idle)
    const one = (running ??= start())
    try {
      return await ask(one, task, signal)
    } finally {
      if (one.reason === undefined && one.rssBytes > keptBelowBytes)
        one.end('gives its memory back')
      // The next process has the folder to itself.
      if (one.reason !== undefined) await one.gone
      idle = setTimeout(() => one.end('was idle'), idleAfterMs)
      idle.unref()
    }
  }

  return {
    async build(task, signal) {
      const aborted = new Promise<never>((_, reject) =>
        signal?.addEventListener(
          'abort',
          () => reject(appError('index_failed', 'the merge was given up')),
          { once: true }
        )
      )
      // A cancelled merge does not wait behind another collection's merge.
      return await Promise.race([mutex.run(() => buildNow(task, signal)), aborted])
    },
    pid: () => running?.forked.pid,
    async close() {
      clearTimeout(idle)
      const one = running
      one?.end('was stopped')
      await one?.gone
    }
  }
}
