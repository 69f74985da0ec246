// Idempotency-Key: the intent is stored before the act, the answer after it, so that a crash between them never acts twice.
import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'
import type { z } from 'zod'
import type { Clock } from '@likeness/shared/clock'
import { appError, isAppError } from '@likeness/shared/errors'
import { idempotencyKey } from '@likeness/shared/keys'
import type { ObjectStore, PutCondition } from '@likeness/shared/store/object-store'
import { encodeRecord, readRecord } from './idempotency-record.ts'

/** A reservation older than this belongs to a request that died. */
export const reservationMs = 30_000

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
  if (!/^[\x20-\x7e]{1,200}$/.test(key)) throw appError('invalid_request', 'Idempotency-Key is 1-200 printable ASCII characters')
  return key
}

const fingerprintOf = (req: Request, content: unknown): string =>
  createHash('sha256').update(JSON.stringify([req.method, req.path, content])).digest('hex')

export interface IdempotencyDeps {
  store: ObjectStore
  clock: Clock
}

/** One request's way through its mutation. */
interface Attempt<I> {
  deps: IdempotencyDeps
  plan: MutationPlan<I>
  /** Object key of the record; undefined without the header. */
  key: string | undefined
  fingerprint: string
  /** Whether what `prepare` stored may be referred to from outside by now. */
  referred: boolean
}
interface Outcome {
  answer: Answer
  replay: boolean
}

const isRefusal = (error: unknown): boolean => isAppError(error) && error.status < 500

/**
 * Runs a mutation once per Idempotency-Key and sends its answer; without the header, just runs it.
 * Rejects with idempotency_mismatch, idempotency_in_progress, or what the mutation rejects with. A refused act (4xx) frees the key;
 * after an unknown outcome (5xx) it stays reserved, and a retry past `reservationMs` finishes the same intent.
 */
export async function answerOnce<I>(deps: IdempotencyDeps, req: Request, res: Response, plan: MutationPlan<I>): Promise<void> {
  const given = requestKey(req)
  const scope = `${req.method} ${String(req.route?.path)} ${String(req.params.c ?? '')}`
  const key = given === undefined ? undefined : idempotencyKey(scope, given)
  const attempt: Attempt<I> = { deps, plan, key, fingerprint: fingerprintOf(req, plan.content), referred: false }
  try {
    const { answer, replay } = await (key === undefined ? runFreely(attempt) : runKeyed(attempt, key))
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

async function runKeyed<I>(attempt: Attempt<I>, key: string): Promise<Outcome> {
  const earlier = await settleEarlier(attempt, key)
  if (earlier !== undefined) return earlier
  const intent = await attempt.plan.prepare()
  const etag = await reserve(attempt, key, intent, { create: true })
  if (etag !== undefined) return actAndRecord(attempt, { key, etag, intent, again: false })
  const winner = await settleEarlier(attempt, key)
  if (winner === undefined) throw inProgress()
  return winner
}

/** What an earlier request with this key leads to; undefined when there was none. */
async function settleEarlier<I>(attempt: Attempt<I>, key: string): Promise<Outcome | undefined> {
  const found = await readRecord(attempt.deps.store, key)
  if (found === undefined) return undefined
  const { record, etag } = found
  if (record.fingerprint !== attempt.fingerprint) throw appError('idempotency_mismatch', 'this Idempotency-Key was used for another request')
  if (record.state === 'done') return { answer: { status: record.status, body: record.body }, replay: true }
  const ageMs = attempt.deps.clock.nowMs() - record.atMs
  if (ageMs < reservationMs) throw inProgress(Math.ceil((reservationMs - ageMs) / 1000))
  const intent = attempt.plan.intentSchema.parse(record.intent)
  const taken = await reserve(attempt, key, intent, { ifMatch: etag })
  if (taken === undefined) throw inProgress()
  return { ...(await actAndRecord(attempt, { key, etag: taken, intent, again: true })), replay: true }
}

const inProgress = (retryAfterS = 1) => appError('idempotency_in_progress', 'a request with this Idempotency-Key is being worked on', { retryAfterS })

async function reserve<I>(attempt: Attempt<I>, key: string, intent: I, condition: PutCondition): Promise<string | undefined> {
  const { store, clock } = attempt.deps
  const body = encodeRecord({ state: 'pending', fingerprint: attempt.fingerprint, atMs: clock.nowMs(), intent })
  return (await store.putIf(key, body, condition))?.etag
}

async function actAndRecord<I>(attempt: Attempt<I>, held: { key: string; etag: string; intent: I; again: boolean }): Promise<Outcome> {
  const { store, clock } = attempt.deps
  let answer: Answer
  try {
    answer = held.again ? await attempt.plan.act(held.intent, true) : await act(attempt, held.intent, false)
  } catch (error) {
    if (isRefusal(error)) await store.delete([held.key])
    throw error
  }
  const done = encodeRecord({ state: 'done', fingerprint: attempt.fingerprint, atMs: clock.nowMs(), status: answer.status, body: answer.body })
  // Lost only to a later request that finished the same intent: its answer is this answer.
  await store.putIf(held.key, done, { ifMatch: held.etag })
  return { answer, replay: false }
}

/** Acts on what this request prepared: from here on only a refusal says that nothing refers to it. */
async function act<I>(attempt: Attempt<I>, intent: I, again: boolean): Promise<Answer> {
  attempt.referred = true
  try {
    return await attempt.plan.act(intent, again)
  } catch (error) {
    if (isRefusal(error)) attempt.referred = false
    throw error
  }
}
