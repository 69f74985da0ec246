// Idempotency-Key: the intent is stored before the act, and the answer after it, so that a crash
// between them never acts twice. An answer that follows from the intent and the log is not stored:
// a retry makes it again.
import type { Request, Response } from 'express'
import type { z } from 'zod'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { Holders } from './holders.ts'
import { createRecordPlace, type Held, type RecordPlace, type TakenRecord } from './record-place.ts'
import type { DoneRecord, PendingRecord } from './record.ts'

/**
 * Age in milliseconds from which a reservation counts as abandoned, where the death of the process
 * is not known earlier.
 */
export const reservationMs = 30_000
/** Longest `Retry-After` while the other process lives, in seconds. */
const longestRetryAfterS = 5

/**
 * Age in milliseconds from which a retry that found its operation in the log stores the answer: the
 * next one need not read as much of the log.
 */
const keepAnswerAfterMs = 600_000

export interface Answer {
  status: number
  body: unknown
  /** `answerLogged` of the plan makes it again, so it is not stored. */
  isLogged?: true
  /** More is known later: a retry asks again. */
  isEarly?: true
  /** Runs once the answer is stored: sends notifications. */
  after?: () => void
}

export interface MutationPlan<I> {
  /** Two requests are the same when method, path and this content are equal. */
  content: unknown
  intentSchema: z.ZodType<I>
  /** Stores everything that the act needs. The result is not visible yet. */
  prepare: () => Promise<I>
  /** `again`: an earlier request with this intent may have acted already. */
  act: (intent: I, again: boolean) => Promise<Answer>
  /**
   * Returns the answer of an earlier request with this intent, undefined when the log does not have
   * its operation. Rejects with what a retry is told; the key is not free then.
   */
  answerLogged?: (intent: I) => Promise<Answer | undefined>
  /** Removes the objects that this request stored and that will stay unused. */
  abandon?: () => Promise<void>
}

export function requestKey(req: Request): string | undefined {
  const key = req.get('idempotency-key')
  if (key === undefined) return undefined
  if (!/^[\x20-\x7e]{1,200}$/.test(key))
    throw appError('invalid_request', 'Idempotency-Key is 1-200 printable ASCII characters')
  return key
}

/** Whether the intent of the request is stored, so that another process may act on it too. */
export const isKeyed = (req: Request): boolean => requestKey(req) !== undefined

const fingerprintOf = (req: Request, content: unknown): string =>
  sha256Hex(JSON.stringify([req.method, req.path, content]))

export interface IdempotencyDeps {
  store: ObjectStore
  clock: Clock
  logger: Logger
  holders: Holders
  settings: { idempotencyRetentionMs: number }
}

/** State of a request on the way through its mutation. */
interface Attempt<I> {
  deps: IdempotencyDeps
  plan: MutationPlan<I>
  fingerprint: string
  /** True when objects that `prepare` stored may already be referred to from outside. */
  referred: boolean
}
interface Keyed<I> extends Attempt<I> {
  place: RecordPlace
}
interface Outcome {
  answer: Answer
  replay: boolean
}

const isRefusal = (error: unknown): boolean => isAppError(error) && error.status < 500

/**
 * Runs a mutation once per Idempotency-Key and sends the answer; without the header, only runs the
 * mutation. Rejects with idempotency_mismatch, idempotency_in_progress, or the error of the
 * mutation. A refused act (4xx) frees the key. After an unknown result (5xx, or the death of the
 * process) the next retry finishes the same intent.
 */
export async function answerOnce<I>(
  deps: IdempotencyDeps,
  req: Request,
  res: Response,
  plan: MutationPlan<I>
): Promise<void> {
  const given = requestKey(req)
  const scope = `${req.method} ${String(req.route?.path)} ${String(req.params.c ?? '')}`
  const attempt: Attempt<I> = {
    deps,
    plan,
    fingerprint: fingerprintOf(req, plan.content),
    referred: false
  }
  const {
    store,
    clock,
    settings: { idempotencyRetentionMs: retentionMs }
  } = deps
  try {
    const { answer, replay } = await (given === undefined
      ? runFreely(attempt)
      : runKeyed(
          Object.assign(attempt, {
            place: createRecordPlace({ store, clock, retentionMs, scope, given })
          } satisfies Partial<Keyed<I>>)
        ))
    if (replay) res.setHeader('idempotent-replay', 'true')
    res.status(answer.status).json(answer.body)
    answer.after?.()
  } finally {
    if (!attempt.referred) await plan.abandon?.()
  }
}

async function runFreely<I>(attempt: Attempt<I>): Promise<Outcome> {
  const intent = await attempt.plan.prepare()
  return { answer: await act(attempt, intent, false), replay: false }
}

async function runKeyed<I>(attempt: Keyed<I>): Promise<Outcome> {
  const earlier = await attempt.place.find()
  if (earlier !== undefined) return await answerEarlier(attempt, earlier)
  const intent = await attempt.plan.prepare()
  const done = await workOn(attempt, attempt.place.own, async () => {
    const held = await attempt.place.reserve(pending(attempt, intent))
    return held && (await actAndRecord(attempt, { held, intent, again: false }))
  })
  if (done !== undefined) return done
  const winner = await attempt.place.find()
  if (winner === undefined) throw inProgress()
  return await answerEarlier(attempt, winner)
}

/** Answers from the record of an earlier request with this key. */
async function answerEarlier<I>(
  attempt: Keyed<I>,
  { key, etag, record }: TakenRecord
): Promise<Outcome> {
  if (record.fingerprint !== attempt.fingerprint)
    throw appError('idempotency_mismatch', 'this Idempotency-Key was used for another request')
  if (record.state === 'done')
    return { answer: { status: record.status, body: record.body }, replay: true }
  const intent = attempt.plan.intentSchema.parse(record.intent)
  const logged = await attempt.plan.answerLogged?.(intent)
  if (logged !== undefined) {
    const isLate = attempt.deps.clock.nowMs() - record.atMs > keepAnswerAfterMs
    if (isLate && !logged.isEarly) await changeRecord(attempt, { key, etag }, done(attempt, logged))
    return { answer: logged, replay: true }
  }
  await mustBeAbandoned(attempt, key, record)
  return await workOn(attempt, key, async () => {
    const held = await attempt.place.swap({ key, etag }, pending(attempt, intent))
    if (held === undefined) throw inProgress()
    return { ...(await actAndRecord(attempt, { held, intent, again: true })), replay: true }
  })
}

/** Marks this process as working on the record; starts before the record is written. */
async function workOn<T>(
  { deps }: { deps: IdempotencyDeps },
  key: string,
  work: () => Promise<T>
): Promise<T> {
  const end = deps.holders.begin(key)
  try {
    return await work()
  } finally {
    end()
  }
}

const inProgress = (retryAfterS = 1) =>
  appError('idempotency_in_progress', 'a request with this Idempotency-Key is being worked on', {
    retryAfterS
  })

/** idempotency_in_progress while the holder of the record may still be working on it. */
async function mustBeAbandoned<I>(
  { deps }: Keyed<I>,
  key: string,
  { holder, atMs }: PendingRecord
): Promise<void> {
  const leftMs = reservationMs - (deps.clock.nowMs() - atMs)
  if (holder === null || leftMs <= 0) return
  if ((await deps.holders.isGone(holder, key)) === true) return
  throw inProgress(Math.min(longestRetryAfterS, Math.ceil(leftMs / 1000)))
}

const pending = <I>(
  { deps: { clock, holders }, fingerprint }: Keyed<I>,
  intent: I
): PendingRecord => ({
  state: 'pending',
  fingerprint,
  atMs: clock.nowMs(),
  holder: holders.id,
  intent
})

const done = <I>(
  { deps: { clock }, fingerprint }: Keyed<I>,
  { status, body }: Answer
): DoneRecord => ({ state: 'done', fingerprint, atMs: clock.nowMs(), status, body })

async function actAndRecord<I>(
  attempt: Keyed<I>,
  { held, intent, again }: { held: Held; intent: I; again: boolean }
): Promise<Outcome> {
  try {
    const answer = again ? await attempt.plan.act(intent, true) : await act(attempt, intent, false)
    // The swap fails only when a later request finished the same intent. That answer is this
    // answer.
    if (!answer.isLogged) await attempt.place.swap(held, done(attempt, answer))
    return { answer, replay: false }
  } catch (error) {
    await changeRecord(
      attempt,
      held,
      isRefusal(error) ? 'free' : { ...pending(attempt, intent), holder: null }
    )
    throw error
  }
}

/**
 * Never rejects: the outcome of the request does not depend on it. A reservation that cannot be
 * released ends with the process or the time limit.
 */
async function changeRecord<I>(
  { deps: { logger }, place }: Keyed<I>,
  held: Held,
  record: PendingRecord | DoneRecord | 'free'
): Promise<void> {
  try {
    await place.swap(held, record)
  } catch (error) {
    logger.debug({ err: error, key: held.key }, 'an idempotency record stays as it was')
  }
}

/**
 * Acts on the objects that this request prepared. From here on, only a refusal proves that the
 * objects stay unused.
 */
async function act<I>(attempt: Attempt<I>, intent: I, again: boolean): Promise<Answer> {
  attempt.referred = true
  try {
    return await attempt.plan.act(intent, again)
  } catch (error) {
    // The request is too late, but another request may have continued with the stored objects.
    if (isRefusal(error) && !isAppError(error, 'upload_expired')) attempt.referred = false
    throw error
  }
}
