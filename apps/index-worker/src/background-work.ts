// Background work of a collection beside the commits: merges, at most a single merge in each tier,
// a reindex, a fold, a calibration, and the deletion of what folds stand for. Failed work is tried
// again later, and is a trouble until then.
import { type CollectionWriter, type MergeTier, mergeTiers } from '@likeness/engine'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { Troubles } from '@likeness/shared/process/troubles'

export interface BackgroundDeps {
  writer: Pick<
    CollectionWriter,
    'merge' | 'fold' | 'calibrate' | 'collectFolded' | 'reindex' | 'seq' | 'spec'
  >
  troubles: Pick<Troubles, 'report' | 'end'>
  clock: Clock
  logger: Logger
  signal: AbortSignal
  /** The collection is handed over. */
  leave: AbortSignal
}

const firstPauseMs = 1_000
const longestPauseMs = 300_000

interface Task {
  /** Fields for the log. */
  fields: object
  /** Words for the log: `merged`, `merge`. */
  done: string
  name: string
  /** Returns false when there was no work. */
  run: () => Promise<boolean>
}

function createRunner(
  { writer, clock, logger, signal, leave, troubles }: BackgroundDeps,
  { fields, done, name, run }: Task
) {
  const { collectionId } = writer.spec
  const key = `${name} ${JSON.stringify(fields)} ${collectionId}`
  let running: Promise<void> | undefined
  let lost: { error: unknown } | undefined
  let failures = 0
  let notBeforeMs = -Infinity

  function failed(error: unknown): void {
    if (isAppError(error, 'ownership_lost')) lost = { error }
    else if (!signal.aborted) {
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures++)
      troubles.report(key, {
        error,
        collectionId,
        code: 'index_failed',
        message: `${name} failed, trying again`,
        fields
      })
      notBeforeMs = clock.nowMs() + pauseMs
    }
  }
  function worked(): void {
    failures = 0
    troubles.end(key)
  }
  async function work(): Promise<void> {
    try {
      while (!signal.aborted && !leave.aborted && (await run())) {
        logger.info({ seq: writer.seq, ...fields }, done)
        worked()
      }
      worked()
    } catch (error) {
      failed(error)
    } finally {
      running = undefined
    }
  }
  return {
    start(): void {
      if (clock.nowMs() >= notBeforeMs) running ??= work()
    },
    isRunning: () => running !== undefined,
    /** Ask before `start`: work that finds nothing to do ends within the turn. */
    isWorking: () => running !== undefined || failures > 0,
    rethrow(): void {
      if (lost !== undefined)
        throw appError('ownership_lost', `a ${name} found another owner`, { cause: lost.error })
    },
    async settled() {
      await running
      if (signal.aborted || leave.aborted) troubles.end(key)
    }
  }
}

export function createBackgroundWork(deps: BackgroundDeps) {
  const { writer } = deps
  const merging = (tier: MergeTier): Task => ({
    fields: { tier },
    done: 'merged',
    name: 'merge',
    run: () => writer.merge(tier)
  })
  const reindexing: Task = {
    fields: {},
    done: 'reindex ended',
    name: 'reindex',
    run: () => writer.reindex()
  }
  const folding: Task = {
    fields: {},
    done: 'history folded',
    name: 'fold',
    run: () => writer.fold()
  }
  const deleting: Task = {
    fields: {},
    done: 'folded history deleted',
    name: 'deletion of folded history',
    run: () => writer.collectFolded()
  }
  const calibrating: Task = {
    fields: {},
    done: 'calibration learned',
    name: 'calibration',
    run: () => writer.calibrate()
  }
  const beside = [reindexing, folding, calibrating, deleting]
  const runners = [...mergeTiers.map(merging), ...beside].map((task) => createRunner(deps, task))
  return {
    start: () => runners.forEach((runner) => runner.start()),
    /** Whether work of an earlier turn is under way, or failed and will be tried again. */
    isWorking: () => runners.some((runner) => runner.isWorking()),
    /** Whether something would be lost if the owner ended now. */
    isRunning: () => runners.some((runner) => runner.isRunning()),
    rethrow: () => runners.forEach((runner) => runner.rethrow()),
    settled: async () => void (await Promise.all(runners.map((runner) => runner.settled())))
  }
}
