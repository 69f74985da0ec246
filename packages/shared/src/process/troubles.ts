// What a process cannot do now, although it must: a store that refuses, a collection that cannot be
// owned. Each trouble is logged at once and then every minute until it ends, and is listed for
// GET /v1/status. So nothing is tried again and again in silence.
import { maxTroubles, maxTroubleTextLength } from '../contract/limits.ts'
import { type ErrorCode, isAppError, messageOf } from '../errors.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import { findMachineFailure } from './machine-failure.ts'

export interface Trouble {
  code: ErrorCode
  detail: string
  sinceMs: number
  /** Absent: the trouble concerns all collections. */
  collectionId?: string
  /** The collection stands still: no change of it is applied. */
  stands?: boolean
}
export interface TroubleReport extends Pick<Trouble, 'collectionId' | 'stands'> {
  error: unknown
  /** Short text for the log. */
  message: string
  /** Code where the error has none. */
  code?: ErrorCode
  /** Fields for the log. */
  fields?: object
  /** Time after which the trouble is over when it is not reported again. Default: 10 minutes. */
  forgetMs?: number
}
export interface Troubles {
  /** Something failed and will be tried again. The same `key` is the same trouble. */
  report(key: string, report: TroubleReport): void
  /** It works again. Does nothing where no trouble has this key. */
  end(key: string): void
  /** Oldest first. */
  list(): Trouble[]
  /** Logs what lasts, and forgets what is over. Called by a timer. */
  remind(): void
}

const sayEveryMs = 60_000
const remindEveryMs = 5_000
const defaultForgetMs = 600_000

function describe({ error, code = 'internal' }: TroubleReport): Pick<Trouble, 'code' | 'detail'> {
  const text = messageOf(error)
  const failure = isAppError(error) ? undefined : findMachineFailure(error)
  const detail = failure === undefined ? text : `${failure.text} (${text})`
  const own = isAppError(error) ? error.code : undefined
  return {
    code: own ?? (failure === undefined ? code : 'store_unavailable'),
    detail: detail.slice(0, maxTroubleTextLength)
  }
}

interface Active extends Trouble {
  reported: TroubleReport
  reportedAtMs: number
}

export function createTroubles({
  clock,
  logger
}: {
  clock: Pick<Clock, 'nowMs'>
  logger: Logger
}): Troubles {
  const active = new Map<string, Active>()
  /** Stays after the end: what comes and goes is logged once a minute too. */
  const saidAtMs = new Map<string, number>()

  function say(key: string, { reported, code, collectionId, sinceMs }: Active): void {
    const nowMs = clock.nowMs()
    // The distance, so that a clock that is set back silences nothing.
    if (Math.abs(nowMs - (saidAtMs.get(key) ?? -Infinity)) < sayEveryMs) return
    saidAtMs.set(key, nowMs)
    const { error: err, message, fields } = reported
    logger.error(
      { err, code, collectionId, sinceS: Math.round((nowMs - sinceMs) / 1000), ...fields },
      message
    )
  }

  function remove(key: string): void {
    active.delete(key)
    if (saidAtMs.size <= maxTroubles) return
    for (const old of saidAtMs.keys()) if (!active.has(old)) saidAtMs.delete(old)
  }

  const troubles: Troubles = {
    report(key, report) {
      const known = active.get(key)
      if (known === undefined && active.size >= maxTroubles) return
      const { collectionId, stands } = report
      const nowMs = clock.nowMs()
      const trouble: Active = {
        ...describe(report),
        sinceMs: known?.sinceMs ?? nowMs,
        ...(collectionId !== undefined && { collectionId }),
        ...(stands !== undefined && { stands }),
        reported: report,
        reportedAtMs: nowMs
      }
      active.set(key, trouble)
      say(key, trouble)
    },
    end(key) {
      const ended = active.get(key)
      if (ended === undefined) return
      remove(key)
      const { collectionId, reported, sinceMs } = ended
      if ((saidAtMs.get(key) ?? -Infinity) >= sinceMs)
        logger.info(
          { collectionId, afterS: Math.round((clock.nowMs() - sinceMs) / 1000) },
          `works again; before: ${reported.message}`
        )
    },
    list: () =>
      [...active.values()].map(
        ({ reported: _reported, reportedAtMs: _atMs, ...trouble }) => trouble
      ),
    remind() {
      for (const [key, trouble] of active) {
        const { forgetMs = defaultForgetMs } = trouble.reported
        if (clock.nowMs() - trouble.reportedAtMs > forgetMs) remove(key)
        else say(key, trouble)
      }
    }
  }
  setInterval(() => troubles.remind(), remindEveryMs).unref()
  return troubles
}
