// Appends to the log of a collection. A slot is created with a conditional PUT, and only by a
// process that knows that the slot below exists. So the order of slots is the order of acceptance,
// across all processes. There is no counter that could be lost or go back.
import { collectionKeys } from '@likeness/shared/contract/keys'
import {
  decodeLogSlot,
  encodeLogSlot,
  type Operation,
  operationsPerSlot,
  revisionOf
} from '@likeness/shared/contract/operation'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import type { LogAppender } from '../contract.ts'
import { readCommitted } from '../version/read-manifest.ts'

/** Longest time for an append before its result is reported as unknown. */
const patienceMs = 10_000
const slotBytesSoftLimit = 1_000_000
const slotsAhead = 16
/** Pause while the first search for the end of the log is running. */
const lookAgainMs = 20

interface Waiting {
  operation: Operation
  deadlineMs: number
  answer: Promise<{ revision: number; slot: number }>
  resolve(appended: { revision: number; slot: number }): void
  reject(error: unknown): void
}

interface CollectionLog {
  /** A slot known to exist; undefined before the first look. */
  tail: number | undefined
  queue: Waiting[]
  running: boolean
}

export function createLogAppender({
  store,
  clock
}: {
  store: ObjectStore
  clock: Clock
}): LogAppender {
  const logs = new Map<string, CollectionLog>()

  function logOf(collectionId: string): CollectionLog {
    let log = logs.get(collectionId)
    if (log === undefined)
      logs.set(collectionId, (log = { tail: undefined, queue: [], running: false }))
    return log
  }

  /**
   * Returns 0 when the committed version is damaged: all accepted operations are in the log anyway.
   */
  async function appliedSlot(collectionId: string): Promise<number> {
    try {
      const manifest = await readCommitted(store, collectionId)
      if (manifest === undefined)
        throw appError('collection_not_found', 'the collection was dropped')
      return manifest.appliedSlot
    } catch (error) {
      if (isAppError(error, 'data_corrupt')) return 0
      throw error
    }
  }

  async function findTail(collectionId: string, log: CollectionLog): Promise<number> {
    const keys = collectionKeys(collectionId)
    let tail = log.tail
    tail ??= await appliedSlot(collectionId)
    for await (const { key } of store.list(keys.logPrefix, { startAfter: keys.logSlot(tail) }))
      tail = Number(key.slice(keys.logPrefix.length))
    return tail
  }

  /** Yields the slots after `after`, up to the first that does not exist. */
  async function* slotsAfter(
    collectionId: string,
    after: number
  ): AsyncIterable<{ slot: number; operations: Operation[] }> {
    const keys = collectionKeys(collectionId)
    for (let slot = after + 1, ahead = 1; ; ahead = slotsAhead) {
      const read = await Promise.all(
        Array.from({ length: ahead }, (_, i) => store.get(keys.logSlot(slot + i)))
      )
      for (const stored of read) {
        if (stored === undefined) return
        yield { slot, operations: decodeLogSlot(keys.logSlot(slot), stored.body).operations }
        slot++
      }
    }
  }

  function takeGroup(log: CollectionLog): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < log.queue.length && count < operationsPerSlot && bytes < slotBytesSoftLimit)
      bytes += JSON.stringify(log.queue[count++]!.operation).length
    return log.queue.slice(0, count)
  }

  /** Tries once to create the next slot. Returns true when the group is in that slot. */
  async function tryAppend(
    collectionId: string,
    log: CollectionLog,
    group: readonly Waiting[]
  ): Promise<boolean> {
    const slot = (log.tail ??= await findTail(collectionId, log)) + 1
    const key = collectionKeys(collectionId).logSlot(slot)
    const written = await store.putIf(key, encodeLogSlot(group.map(({ operation }) => operation)), {
      create: true
    })
    if (written === undefined) {
      // The slot is taken: by another process, or by an earlier try of ours whose answer was lost.
      const stored = await store.get(key)
      if (stored === undefined) throw appError('collection_not_found', 'the collection was dropped')
      log.tail = slot
      return acknowledgeFound(slot, decodeLogSlot(key, stored.body).operations, log)
    }
    log.tail = slot
    group.forEach((waiting, index) => waiting.resolve({ revision: revisionOf(slot, index), slot }))
    log.queue.splice(0, group.length)
    return true
  }

  function acknowledgeFound(
    slot: number,
    operations: readonly Operation[],
    log: CollectionLog
  ): boolean {
    const indexOf = new Map(operations.map(({ opId }, index) => [opId, index]))
    const landed = log.queue.filter(({ operation }) => indexOf.has(operation.opId))
    for (const waiting of landed)
      waiting.resolve({ revision: revisionOf(slot, indexOf.get(waiting.operation.opId)!), slot })
    log.queue = log.queue.filter((waiting) => !landed.includes(waiting))
    return landed.length > 0
  }

  async function catchUp(collectionId: string, log: CollectionLog): Promise<void> {
    for await (const { slot, operations } of slotsAfter(collectionId, log.tail!)) {
      log.tail = slot
      acknowledgeFound(slot, operations, log)
    }
  }

  function rejectLate(log: CollectionLog, error: unknown): void {
    const nowMs = clock.nowMs()
    const late = log.queue.filter(({ deadlineMs }) => nowMs >= deadlineMs)
    log.queue = log.queue.filter((waiting) => !late.includes(waiting))
    for (const waiting of late) waiting.reject(error)
  }

  /**
   * Writes slots until the queue is empty. An append that finds `running` false starts this again.
   * So there must be no pause between the last look at the queue and the end.
   */
  async function drain(collectionId: string, log: CollectionLog): Promise<void> {
    log.running = true
    try {
      for (let conflicts = 0; log.queue.length > 0; ) {
        try {
          if (await tryAppend(collectionId, log, takeGroup(log))) conflicts = 0
          // Far behind another process: read the log instead of trying every slot. Read every slot,
          // because operations that wait here may be in any of them, sent by another process.
          else if (++conflicts % 4 === 0) await catchUp(collectionId, log)
        } catch (error) {
          await afterFailure(log, error)
        }
      }
    } finally {
      log.running = false
    }
  }

  async function afterFailure(log: CollectionLog, error: unknown): Promise<void> {
    if (!isAppError(error, 'store_unavailable')) {
      for (const waiting of log.queue.splice(0)) waiting.reject(error)
      return
    }
    // Ambiguous: the slot may be ours already or become ours. So the same slot is tried again,
    // never the next one.
    rejectLate(log, error)
    await clock.sleep(50)
  }

  function enqueue(
    collectionId: string,
    log: CollectionLog,
    operation: Operation
  ): Promise<{ revision: number; slot: number }> {
    const { promise, resolve, reject } = withResolvers<{ revision: number; slot: number }>()
    log.queue.push({
      operation,
      deadlineMs: clock.nowMs() + patienceMs,
      answer: promise,
      resolve,
      reject
    })
    // All operations that wait while a slot is written go into the next slot together.
    if (!log.running) void drain(collectionId, log)
    return promise
  }

  /** Looks at every slot that the append itself will not look at, then appends. */
  async function appendUnlessFound(
    collectionId: string,
    log: CollectionLog,
    operation: Operation,
    afterSlot: number
  ) {
    for (let seen = afterSlot; ; ) {
      const twin = log.queue.find((waiting) => waiting.operation.opId === operation.opId)
      if (twin !== undefined) return await twin.answer
      for await (const { slot, operations } of slotsAfter(collectionId, seen)) {
        const index = operations.findIndex(({ opId }) => opId === operation.opId)
        if (index >= 0) return { revision: revisionOf(slot, index), slot }
        seen = slot
      }
      if (log.tail === undefined && !log.running) log.tail = seen
      if (log.tail === undefined) await clock.sleep(lookAgainMs)
      else if (
        log.tail <= seen &&
        !log.queue.some(({ operation: { opId } }) => opId === operation.opId)
      )
        return await enqueue(collectionId, log, operation)
    }
  }

  return {
    append(collectionId, operation, { afterSlot } = {}) {
      const log = logOf(collectionId)
      return afterSlot === undefined
        ? enqueue(collectionId, log, operation)
        : appendUnlessFound(collectionId, log, operation, afterSlot)
    },
    async find(collectionId, opId, afterSlot) {
      for await (const { slot, operations } of slotsAfter(collectionId, afterSlot)) {
        const index = operations.findIndex((operation) => operation.opId === opId)
        if (index >= 0) return { revision: revisionOf(slot, index), slot }
      }
      return undefined
    },
    async tail(collectionId) {
      const log = logOf(collectionId)
      const tail = await findTail(collectionId, log)
      // Leave the tail alone during a running append: the newest slot may be its own, with the
      // operations that wait here.
      if (!log.running) log.tail = Math.max(tail, log.tail ?? 0)
      return tail
    }
  }
}

function withResolvers<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
