// Finds the place of the record of an Idempotency-Key: the week in which it was made. Records of
// programs before 0.4 are in another place of their week, and count as well. Index-workers delete
// old weeks as a whole. So a name is never used again after a deletion, and a late deletion removes
// only records that are no longer asked for.
import {
  formerIdempotencyKey,
  idempotencyKey,
  idempotencyWeekMs
} from '@likeness/shared/contract/keys'
import { createUlid } from '@likeness/shared/data/ulid'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import {
  type DoneRecord,
  encodeRecord,
  type FoundRecord,
  type PendingRecord,
  readRecord
} from './record.ts'

/**
 * Two processes may be in different weeks while their clocks differ. Near the end of a week both
 * weeks are read.
 */
const borderMs = 600_000

const weekOf = (ms: number): number => Math.floor(ms / idempotencyWeekMs)

export interface Places {
  /** Key of a new record. */
  own: string
  /** Other keys that may hold the record. */
  others: string[]
  /** Another process may be writing the record under another key right now. */
  nearBorder: boolean
}

/** `keysOf`: keys that may hold the records of a week. New records have the first of them. */
export function placesOf(
  nowMs: number,
  retentionMs: number,
  keysOf: (week: number) => readonly [string, ...string[]]
): Places {
  const week = weekOf(nowMs)
  const last = weekOf(nowMs + borderMs)
  const [own, ...others] = keysOf(week)
  for (let other = last; other >= weekOf(nowMs - retentionMs); other--)
    if (other !== week) others.push(...keysOf(other))
  return { own, others, nearBorder: last !== week || weekOf(nowMs - borderMs) !== week }
}

export type TakenRecord = Omit<FoundRecord, 'record'> & { record: PendingRecord | DoneRecord }
export interface Held {
  key: string
  etag: string
}

export function createRecordPlace({
  store,
  clock,
  retentionMs,
  scope,
  given
}: {
  store: ObjectStore
  clock: Clock
  retentionMs: number
  scope: string
  given: string
}) {
  const { own, others, nearBorder } = placesOf(clock.nowMs(), retentionMs, (week) => [
    idempotencyKey(week, scope, given),
    formerIdempotencyKey(week, scope, given)
  ])
  const isTaken = (found: FoundRecord | undefined): found is TakenRecord =>
    found !== undefined && found.record.state !== 'free'

  async function swap(
    held: Held,
    record: PendingRecord | DoneRecord | 'free'
  ): Promise<Held | undefined> {
    const body = encodeRecord(record === 'free' ? { state: 'free', writeId: createUlid() } : record)
    const written = await store.putIf(held.key, body, { ifMatch: held.etag })
    return written && { key: held.key, etag: written.etag }
  }

  async function create(record: PendingRecord): Promise<Held | undefined> {
    const written = await store.putIf(own, encodeRecord(record), { create: true })
    return written && { key: own, etag: written.etag }
  }

  /** A key whose request was refused is free, and its object stays. */
  async function takeFreed(record: PendingRecord): Promise<Held | undefined> {
    const there = await readRecord(store, own)
    return there?.record.state === 'free' ? await swap(there, record) : undefined
  }

  return {
    /** Key of a new record. */
    own,
    /** Returns the record that counts. */
    async find(): Promise<TakenRecord | undefined> {
      return (await Promise.all([own, ...others].map((key) => readRecord(store, key)))).find(
        isTaken
      )
    },
    /** undefined when another process has taken the key meanwhile. */
    async reserve(record: PendingRecord): Promise<Held | undefined> {
      const held = (await create(record)) ?? (await takeFreed(record))
      if (held === undefined) return undefined
      if (
        !nearBorder ||
        !(await Promise.all(others.map((key) => readRecord(store, key)))).some(isTaken)
      )
        return held
      // Both processes may give way. Then both clients are asked to come again.
      await swap(held, 'free')
      return undefined
    },
    /** undefined when the record has changed since it was read. */
    swap
  }
}
export type RecordPlace = ReturnType<typeof createRecordPlace>
