// Appends to the log of a collection. A slot is created with a conditional PUT, and only by someone who knows that the slot below
// exists: so the order of slots is the order of acceptance, whatever process took it, with no counter that could be lost or come back older.
import type { Clock } from '@likeness/shared/clock'
import { decodeLogSlot, encodeLogSlot, operationsPerSlot, revisionOf } from '@likeness/shared/contract/operation'
import type { Operation } from '@likeness/shared/contract/operation'
import { appError, isAppError } from '@likeness/shared/errors'
import { collectionKeys } from '@likeness/shared/keys'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import type { LogAppender } from './contract.ts'
import { readCurrent } from './current.ts'
import { readManifest } from './manifest.ts'

/** How long one append may try before its outcome is given up as unknown. */
const patienceMs = 10_000
const slotBytesSoftLimit = 1_000_000

interface Waiting {
  operation: Operation
  deadlineMs: number
  resolve(appended: { revision: number; slot: number }): void
  reject(error: unknown): void
}

interface CollectionLog {
  /** A slot known to exist; undefined before the first look. */
  tail: number | undefined
  queue: Waiting[]
  running: boolean
}

export function createLogAppender({ store, clock }: { store: ObjectStore; clock: Clock }): LogAppender {
  const logs = new Map<string, CollectionLog>()

  function logOf(incarnation: string): CollectionLog {
    let log = logs.get(incarnation)
    if (log === undefined) logs.set(incarnation, (log = { tail: undefined, queue: [], running: false }))
    return log
  }

  async function findTail(incarnation: string, log: CollectionLog): Promise<number> {
    const keys = collectionKeys(incarnation)
    let tail = log.tail
    if (tail === undefined) {
      const found = await readCurrent(store, keys.current)
      if (found === undefined) throw appError('collection_not_found', 'the collection was dropped')
      const manifest = await readManifest(store, found.current.manifest, found.current.sha256)
      tail = manifest?.appliedSlot ?? 0
    }
    for await (const { key } of store.list(keys.logPrefix, { startAfter: keys.logSlot(tail) })) tail = Number(key.slice(keys.logPrefix.length))
    log.tail = Math.max(tail, log.tail ?? 0)
    return log.tail
  }

  function takeGroup(log: CollectionLog): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < log.queue.length && count < operationsPerSlot && bytes < slotBytesSoftLimit) bytes += JSON.stringify(log.queue[count++]!.operation).length
    return log.queue.slice(0, count)
  }

  /** One try to create the next slot. True when the group is in it. */
  async function tryAppend(incarnation: string, log: CollectionLog, group: readonly Waiting[]): Promise<boolean> {
    const slot = (log.tail ?? (await findTail(incarnation, log))) + 1
    const key = collectionKeys(incarnation).logSlot(slot)
    const written = await store.putIf(key, encodeLogSlot(group.map(({ operation }) => operation)), { create: true })
    if (written === undefined) {
      // Taken: by another process, or by an earlier try of ours whose answer was lost.
      const stored = await store.get(key)
      if (stored === undefined) throw appError('collection_not_found', 'the collection was dropped')
      log.tail = slot
      return settleFound(slot, decodeLogSlot(stored.body).operations, log)
    }
    log.tail = slot
    group.forEach((waiting, index) => waiting.resolve({ revision: revisionOf(slot, index), slot }))
    log.queue.splice(0, group.length)
    return true
  }

  function settleFound(slot: number, operations: readonly Operation[], log: CollectionLog): boolean {
    const indexOf = new Map(operations.map(({ opId }, index) => [opId, index]))
    const landed = log.queue.filter(({ operation }) => indexOf.has(operation.opId))
    for (const waiting of landed) waiting.resolve({ revision: revisionOf(slot, indexOf.get(waiting.operation.opId)!), slot })
    log.queue = log.queue.filter((waiting) => !landed.includes(waiting))
    return landed.length > 0
  }

  function rejectLate(log: CollectionLog, error: unknown): void {
    const nowMs = clock.nowMs()
    const late = log.queue.filter(({ deadlineMs }) => nowMs >= deadlineMs)
    log.queue = log.queue.filter((waiting) => !late.includes(waiting))
    for (const waiting of late) waiting.reject(error)
  }

  async function drain(incarnation: string, log: CollectionLog): Promise<void> {
    let conflicts = 0
    while (log.queue.length > 0) {
      try {
        if (await tryAppend(incarnation, log, takeGroup(log))) conflicts = 0
        // Far behind another process: look for the end instead of walking there.
        else if (++conflicts % 4 === 0) await findTail(incarnation, log)
      } catch (error) {
        if (!isAppError(error, 'store_unavailable')) {
          for (const waiting of log.queue.splice(0)) waiting.reject(error)
          return
        }
        // Ambiguous: the slot may be ours already or become so. The same slot is tried again, never the next one.
        rejectLate(log, error)
        await clock.sleep(50)
      }
    }
  }

  async function run(incarnation: string, log: CollectionLog): Promise<void> {
    log.running = true
    try {
      await drain(incarnation, log)
    } finally {
      log.running = false
    }
  }

  return {
    append(incarnation, operation) {
      const log = logOf(incarnation)
      return new Promise((resolve, reject) => {
        log.queue.push({ operation, deadlineMs: clock.nowMs() + patienceMs, resolve, reject })
        // Everything that waits while a slot is written goes into the next one together.
        if (!log.running) void run(incarnation, log)
      })
    },
    tail: (incarnation) => findTail(incarnation, logOf(incarnation)),
    async find(incarnation, opId, afterSlot) {
      const keys = collectionKeys(incarnation)
      for (let slot = afterSlot + 1; ; slot++) {
        const stored = await store.get(keys.logSlot(slot))
        if (stored === undefined) return undefined
        const index = decodeLogSlot(stored.body).operations.findIndex((operation) => operation.opId === opId)
        if (index >= 0) return { revision: revisionOf(slot, index), slot }
      }
    }
  }
}
