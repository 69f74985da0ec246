// Idempotency-Key: the intent is stored before the act, the answer after it, so that a crash between them never acts twice.
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

/** A reservation older than this belongs to a request that died, where it cannot be told earlier. */
export const reservationMs = 30_000
/** While its process lives. */
const longestRetryAfterS = 5

export interface Answer {
  status: number
  body: unknown
  /** Runs once the answer is stored: hints. */
  after?: () => void
}

export interface MutationPlan<I> {
  /** What makes two requests the same, beside method and path. */
  content: unknown
  intentSchema: z.ZodType<I>
  /** Everything durable that the act needs; nothing visible yet. */
  prepare: () => Promise<I>
  /** `again`: an earlier request with this intent may have acted already. */
  act: (intent: I, again: boolean) => Promise<Answer>
  /** Removes what this request stored and nobody will refer to. */
  abandon?: () => Promise<void>
}

export function requestKey(req: Request): string | undefined {
  const key = req.get('idempotency-key')
  if (key === undefined) return undefined
  if (!/^[\x20-\x7e]{1,200}$/.test(key))
    throw appError('invalid_request', 'Idempotency-Key is 1-200 printable ASCII characters')
  return key
}

const fingerprintOf = (req: Request, content: unknown): string =>
  sha256Hex(JSON.stringify([req.method, req.path, content]))

export interface IdempotencyDeps {
  store: ObjectStore
  clock: Clock
  logger: Logger
  holders: Holders
  settings: { idempotencyRetentionMs: number }
}

/** One request's way through its mutation. */
interface Attempt<I> {
  deps: IdempotencyDeps
  plan: MutationPlan<I>
  fingerprint: string
  /** Whether what `prepare` stored may be referred to from outside by now. */
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
 * Runs a mutation once per Idempotency-Key and sends its answer; without the header, just runs it.
 * Rejects with idempotency_mismatch, idempotency_in_progress, or what the mutation rejects with. A refused act (4xx) frees the key;
 * after an unknown outcome (5xx, or the death of the process) the next retry finishes the same intent.
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
          })
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

/** What an earlier request with this key leads to. */
async function answerEarlier<I>(
  attempt: Keyed<I>,
  { key, etag, record }: TakenRecord
): Promise<Outcome> {
  if (record.fingerprint !== attempt.fingerprint)
    throw appError('idempotency_mismatch', 'this Idempotency-Key was used for another request')
  if (record.state === 'done')
    return { answer: { status: record.status, body: record.body }, replay: true }
  await mustBeAbandoned(attempt, key, record)
  const intent = attempt.plan.intentSchema.parse(record.intent)
  return await workOn(attempt, key, async () => {
    const held = await attempt.place.swap({ key, etag }, pending(attempt, intent))
    if (held === undefined) throw inProgress()
    return { ...(await actAndRecord(attempt, { held, intent, again: true })), replay: true }
  })
}

/** From before the record says so this process works on it. */
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

/** idempotency_in_progress while whoever has it may still be working on it. */
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

async function actAndRecord<I>(
  attempt: Keyed<I>,
  { held, intent, again }: { held: Held; intent: I; again: boolean }
): Promise<Outcome> {
  const {
    deps: { clock },
    place,
    fingerprint
  } = attempt
  try {
    const answer = again ? await attempt.plan.act(intent, true) : await act(attempt, intent, false)
    const done: DoneRecord = {
      state: 'done',
      fingerprint,
      atMs: clock.nowMs(),
      status: answer.status,
      body: answer.body
    }
    // Lost only to a later request that finished the same intent: its answer is this answer.
    await place.swap(held, done)
    return { answer, replay: false }
  } catch (error) {
    await releaseRecord(
      attempt,
      held,
      isRefusal(error) ? 'free' : { ...pending(attempt, intent), holder: null }
    )
    throw error
  }
}

/** Never rejects: what went wrong is told already, and what cannot be written ends with the process or the time limit. */
async function releaseRecord<I>(
  { deps: { logger }, place }: Keyed<I>,
  held: Held,
  record: PendingRecord | 'free'
): Promise<void> {
  try {
    await place.swap(held, record)
  } catch (error) {
    logger.debug({ err: error, key: held.key }, 'an idempotency record stays reserved')
  }
}

/** Acts on what this request prepared: from here on only a refusal says that nothing refers to it. */
async function act<I>(attempt: Attempt<I>, intent: I, again: boolean): Promise<Answer> {
  attempt.referred = true
  try {
    return await attempt.plan.act(intent, again)
  } catch (error) {
    // Too late for this request, but another one may have gone on with what it stored.
    if (isRefusal(error) && !isAppError(error, 'upload_expired')) attempt.referred = false
    throw error
  }
}
