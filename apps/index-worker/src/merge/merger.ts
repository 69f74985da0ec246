// A merge process, from start to end. It is watched for silence and for memory, and gets one merge
// or fold at a time.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { appError, isErrorCode } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { Built, FromMerger, ToMerger } from './merge-messages.ts'

export interface MergerOptions {
  /** Name of the process's folder. */
  name: string
  env: Record<string, string | undefined>
  /** Node arguments, e.g. `--import tsx`. */
  execArgv: readonly string[]
  /** Limit of resident bytes, added to the bytes of an idle process. */
  memoryBytes: number
  logger: Logger
  /** Silence in milliseconds after which the process counts as hung. */
  hungAfterMs: number
}

const entry = fileURLToPath(new URL('./merge-main.ts', import.meta.url))
const listenEveryMs = 1_000
const idleProcessBytes = 256 * 1024 * 1024
/**
 * Limit in bytes. A larger process ends after a merge, because native memory does not return to the
 * system.
 */
const keptBelowBytes = 512 * 1024 * 1024
const bytesPerMebibyte = 1024 * 1024

function forkMerger({ name, env, execArgv, memoryBytes, logger }: MergerOptions): ChildProcess {
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
  return forked
}

export class Merger {
  private readonly forked: ChildProcess
  private rssBytes = 0
  /** Reason for ending the process. */
  private reason: string | undefined
  private listener: ((message: FromMerger) => void) | undefined
  readonly gone: Promise<void>

  constructor(options: MergerOptions) {
    const forked = forkMerger(options)
    this.forked = forked
    // 'exit' may come before the last messages. Only both events together mean the end.
    const ended = new Promise<void>((resolve) => forked.once('exit', () => resolve()))
    const silent = new Promise<void>((resolve) => forked.once('disconnect', () => resolve()))
    this.gone = Promise.all([ended, silent]).then(() => undefined)
    this.watch(options)
  }

  get pid(): number | undefined {
    return this.forked.pid
  }

  get isEnding(): boolean {
    return this.reason !== undefined
  }

  /** True: the process is so large that it must end between two merges. */
  get isLarge(): boolean {
    return this.rssBytes > keptBelowBytes
  }

  end(reason: string): void {
    this.reason ??= reason
    this.forked.kill('SIGKILL')
  }

  private watch({ memoryBytes, hungAfterMs }: MergerOptions): void {
    let unheardTicks = 0
    // Counts ticks of our own event loop, so that a pause of the whole machine does not look like a
    // hang.
    const timer = setInterval(() => {
      if (++unheardTicks * listenEveryMs >= hungAfterMs)
        this.end(`was silent for ${hungAfterMs} ms`)
    }, listenEveryMs)
    timer.unref()
    this.forked.on('message', (message: FromMerger) => {
      unheardTicks = 0
      if (message.kind !== 'alive') return this.listener?.(message)
      this.rssBytes = message.rssBytes
      if (message.rssBytes > memoryBytes + idleProcessBytes)
        this.end(`used ${message.rssBytes} bytes`)
    })
    void this.gone.then(() => clearInterval(timer))
  }

  /** Returns the answer to a task; rejects when the process ends first. */
  ask(message: ToMerger, signal: AbortSignal | undefined): Promise<Built> {
    const { forked, gone } = this
    const giveUp = (): void => this.end('was given up')
    const answer = new Promise<Built>((resolve, reject) => {
      this.listener = (answered) => {
        if (answered.kind === 'built') resolve(answered.result)
        if (answered.kind === 'failed')
          reject(
            appError(isErrorCode(answered.code) ? answered.code : 'index_failed', answered.message)
          )
      }
      void gone.then(() => reject(this.goneError()))
      signal?.addEventListener('abort', giveUp)
      // A failed send means that the process is ending. `gone` then ends the merge.
      if (forked.connected) forked.send(message, () => undefined)
    })
    return answer.finally(() => {
      this.listener = undefined
      signal?.removeEventListener('abort', giveUp)
    })
  }

  private goneError(): Error {
    const { exitCode, signalCode } = this.forked
    return appError(
      'index_failed',
      `the merge process ${this.reason ?? `ended with ${exitCode ?? signalCode}`}`
    )
  }
}
