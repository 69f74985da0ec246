// A separate process for merges: starts when a merge is due, and runs a single merge at a time. The
// process ends when it was idle for a while, has grown large, is silent for too long or uses too
// much memory. An end only costs the running merge.
import type { BuildMerge, MergeResult, MergeTask } from '@likeness/engine'
import { createMutex } from '@likeness/shared/data/mutex'
import { appError } from '@likeness/shared/errors'
import { Merger, type MergerOptions } from './merger.ts'

export interface MergeProcessOptions extends Omit<MergerOptions, 'hungAfterMs'> {
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

export function createMergeProcess({
  hungAfterMs = 120_000,
  idleAfterMs = 120_000,
  ...options
}: MergeProcessOptions): MergeProcess {
  const mutex = createMutex()
  let running: Merger | undefined
  let idle: NodeJS.Timeout | undefined

  function start(): Merger {
    const one = new Merger({ ...options, hungAfterMs })
    void one.gone.then(() => {
      if (running === one) running = undefined
    })
    return one
  }

  async function buildNow(task: MergeTask, signal: AbortSignal | undefined): Promise<MergeResult> {
    signal?.throwIfAborted()
    clearTimeout(idle)
    const one = (running ??= start())
    try {
      return await one.ask(task, signal)
    } finally {
      if (!one.isEnding && one.isLarge) one.end('gives its memory back')
      // The next process has the folder to itself.
      if (one.isEnding) await one.gone
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
    pid: () => running?.pid,
    async close() {
      clearTimeout(idle)
      const one = running
      one?.end('was stopped')
      await one?.gone
    }
  }
}
