// Operations that wait for a slot of the log, in order of arrival.
import {
  type LoggedOperation,
  type Operation,
  operationsPerSlot,
  revisionOf
} from '@likeness/shared/contract/operation'
import { withResolvers } from '@likeness/shared/data/with-resolvers'
import type { WantedOperation } from './folded-slots.ts'
import type { Appended } from './log-slots.ts'

const slotBytesSoftLimit = 1_000_000

interface AddOptions {
  deadlineMs: number
  /** Another process may append the same operation, in any slot after this one. Absent: nobody else. */
  after?: number | undefined
}
interface Waiting extends AddOptions {
  operation: Operation
  answer: Promise<Appended>
  resolve(appended: Appended): void
  reject(error: unknown): void
}

export class WaitingOperations {
  private queue: Waiting[] = []

  get isEmpty(): boolean {
    return this.queue.length === 0
  }

  /** Resolves or rejects with the result of the operation. */
  add(operation: Operation, options: AddOptions): Promise<Appended> {
    const { promise, resolve, reject } = withResolvers<Appended>()
    this.queue.push({ operation, ...options, answer: promise, resolve, reject })
    return promise
  }

  /** Whether another process may have appended one of the operations. */
  get hasKeyed(): boolean {
    return this.queue.some(({ after }) => after !== undefined)
  }

  /** Returns the result of an operation that waits; undefined when the operation does not wait. */
  answerOf(opId: string): Promise<Appended> | undefined {
    return this.queue.find(({ operation }) => operation.opId === opId)?.answer
  }

  /** Returns the first operations that fit into one slot. They stay in the queue. */
  nextGroup(): Operation[] {
    const { queue } = this
    let bytes = 0
    let count = 0
    while (count < queue.length && count < operationsPerSlot && bytes < slotBytesSoftLimit)
      bytes += Buffer.byteLength(JSON.stringify(queue[count++]!.operation))
    return queue.slice(0, count).map(({ operation }) => operation)
  }

  /** Resolves the first `count` operations: a slot contains them. */
  acceptGroup(slot: number, count: number): void {
    for (const [index, waiting] of this.queue.splice(0, count).entries())
      waiting.resolve({ revision: revisionOf(slot, index), slot })
  }

  /** Removes the operations that a slot contains. Returns whether there were any. */
  acceptFound(slot: number, operations: readonly LoggedOperation[]): boolean {
    const indexOf = new Map(operations.map(({ opId }, index) => [opId, index]))
    const landed = this.queue.filter(({ operation }) => indexOf.has(operation.opId))
    for (const waiting of landed)
      waiting.resolve({ revision: revisionOf(slot, indexOf.get(waiting.operation.opId)!), slot })
    this.queue = this.queue.filter((waiting) => !landed.includes(waiting))
    return landed.length > 0
  }

  /** Those that wait, each with the slot after which it may be. `slot`: the first that was tried. */
  wantedFrom(slot: number): WantedOperation[] {
    return this.queue.map(({ operation: { opId }, after = slot - 1 }) => ({
      opId,
      after: Math.min(after, slot - 1)
    }))
  }

  /** Resolves the operations that were found. */
  acceptAll(found: ReadonlyMap<string, Appended>): void {
    const landed = this.queue.filter(({ operation }) => found.has(operation.opId))
    this.queue = this.queue.filter((waiting) => !landed.includes(waiting))
    for (const { operation, resolve } of landed) resolve(found.get(operation.opId)!)
  }

  rejectLate(nowMs: number, error: unknown): void {
    const late = this.queue.filter(({ deadlineMs }) => nowMs >= deadlineMs)
    this.queue = this.queue.filter((waiting) => !late.includes(waiting))
    for (const waiting of late) waiting.reject(error)
  }

  rejectAll(error: unknown): void {
    for (const waiting of this.queue.splice(0)) waiting.reject(error)
  }
}
