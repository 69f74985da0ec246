// A separate process for merges, folds and calibrations: starts when one is due, and runs a single one at a time. The
// process ends when it was idle for a while, has grown large, is silent for too long or uses too
// much memory. An end only costs the running merge.
import type {
  BuildCalibration,
  BuildFold,
  BuildMerge,
  FoldResult,
  MergeResult
} from '@likeness/engine'
import { createMutex } from '@likeness/shared/data/mutex'
import { appError } from '@likeness/shared/errors'
import type { Built, Calibrated, ToMerger } from './merge-messages.ts'
import { Merger, type MergerOptions } from './merger.ts'

export interface MergeProcessOptions extends Omit<MergerOptions, 'hungAfterMs'> {
  /** Silence in milliseconds after which the process counts as hung. */
  hungAfterMs?: number
  idleAfterMs?: number
}
export interface MergeProcess {
  /** Rejects with index_failed when the process ends or the signal aborts. */
  build: BuildMerge
  /** Rejects in the same way. */
  fold: BuildFold
  /** Rejects in the same way. */
  calibrate: BuildCalibration
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

  async function buildNow(asked: ToMerger, signal: AbortSignal | undefined): Promise<Built> {
    signal?.throwIfAborted()
    clearTimeout(idle)
    const one = (running ??= start())
    try {
      return await one.ask(asked, signal)
    } finally {
      if (!one.isEnding && one.isLarge) one.end('gives its memory back')
      // The next process has the folder to itself.
      if (one.isEnding) await one.gone
      idle = setTimeout(() => one.end('was idle'), idleAfterMs)
      idle.unref()
    }
  }

  async function build(asked: ToMerger, signal: AbortSignal | undefined): Promise<Built> {
    const aborted = new Promise<never>((_, reject) =>
      signal?.addEventListener(
        'abort',
        () => reject(appError('index_failed', `the ${asked.kind} was given up`)),
        { once: true }
      )
    )
    // A cancelled merge does not wait behind another collection's merge.
    return await Promise.race([mutex.run(() => buildNow(asked, signal)), aborted])
  }

  return {
    build: async (task, signal) => (await build({ kind: 'merge', task }, signal)) as MergeResult,
    fold: async (task, signal) => (await build({ kind: 'fold', task }, signal)) as FoldResult,
    calibrate: async (task, signal) =>
      (await build({ kind: 'calibration', task }, signal)) as Calibrated,
    pid: () => running?.pid,
    async close() {
      clearTimeout(idle)
      const one = running
      one?.end('was stopped')
      await one?.gone
    }
  }
}
