// Knowledge of the oracle about one collection id: the landed log, the promises to each client, and
// the chain of commits. The oracle reads the objects directly, at the moment when they change. So a
// faulty store has no effect on this knowledge.
import {
  type Current,
  currentSchema,
  type FileRef,
  manifestFiles,
  manifestSchema,
  type SnapshotRecord
} from '@likeness/engine/testing/internals'
import { decodeObject } from '@likeness/shared/contract/checked-object'
import { jobIdOf } from '@likeness/shared/contract/job-id'
import {
  decodeLogSlot,
  type Operation,
  type RestoreOperation,
  revisionOf,
  slotOf
} from '@likeness/shared/contract/operation'
import { expectEffect, expectIngested, type ExpectedItem } from './expected-items.ts'
import { embedding, type IngestionPlan } from './ingestion-plan.ts'
import type { ObjectTable } from './object-table.ts'
import type { Acknowledged } from './searches.ts'
import { contentOf, pagesIn, recordsIn } from './state-of.ts'
import { Violation } from './violation.ts'

export class Truth {
  readonly collectionId: string
  /** A drop was sent: the files of the collection may be deleted. */
  mayBeDropped = false
  /** The drop was acknowledged. */
  isDropped = false
  readonly plans = new Map<string, IngestionPlan>()
  readonly landed = new Map<string, number>()
  /** Log entries in the order of acceptance. */
  private readonly history: { revision: number; operation: Operation }[] = []
  private slots = 0
  current: Current | undefined
  /** Embedding of the version that CURRENT names. */
  embedding = embedding.version
  private files = new Set<string>()
  /** First commit in which each ingestion was complete. */
  readonly completedSeq = new Map<string, number>()
  /** Embedding under which each given ingestion was completed: its vectors are of one alone. */
  private readonly takenUnder = new Map<string, string>()
  /** Done ordinals of cancelled ingestions. */
  private readonly cancelled = new Map<string, string>()
  /** Least version and slot that readers must see if they start from now on. */
  floor = { seq: 0, slot: 0 }
  /** Least revision of each item that readers may see if they start from now on. */
  readonly itemFloor = new Map<string, number>()
  highestAcked = 0
  /** What a search must find. */
  readonly searched: Acknowledged[] = []
  private isTorn = false

  constructor(collectionId: string) {
    this.collectionId = collectionId
  }

  /** Returns false for a slot on a number that was folded: it is no part of the log. */
  slotLanded(slot: number, body: Uint8Array): boolean {
    // Objects stay until the drop is answered. Writers and readers use the landed slots until then.
    if (this.isDropped) return true
    if (slot <= this.logFloor) return false
    if (slot !== ++this.slots)
      throw new Violation('order', `slot ${slot} was created after slot ${this.slots - 1}`)
    decodeLogSlot(`slot ${slot}`, body).operations.forEach((operation, index) => {
      if (operation.kind === 'void')
        throw new Violation('progress', `slot ${slot} has an operation that has no effect`)
      const before = this.landed.get(operation.opId)
      if (before !== undefined)
        throw new Violation(
          'once',
          `${operation.kind} ${operation.opId} is at revision ${before} and again in slot ${slot}`
        )
      this.landed.set(operation.opId, revisionOf(slot, index))
      this.history.push({ revision: revisionOf(slot, index), operation })
    })
    return true
  }

  /** Slots up to this one are no part of the log. */
  private get logFloor(): number {
    return this.current === undefined || this.current.format === 1 ? 0 : this.current.floor
  }

  /** An operation was answered with `revision`. `floor`: acknowledged revision before sending. */
  acknowledged(opId: string, revision: number, floor: number): void {
    if (this.mayBeDropped) return
    if (this.landed.get(opId) !== revision)
      throw new Violation(
        'effect',
        `acknowledged at revision ${revision}, in the log at ${this.landed.get(opId)}`
      )
    if (revision <= floor)
      throw new Violation('order', `revision ${revision}, sent after ${floor} was acknowledged`)
    this.highestAcked = Math.max(this.highestAcked, revision)
  }

  deleteAcknowledged(ids: readonly string[], revision: number): void {
    for (const id of ids) this.raiseItemFloor(id, revision)
  }

  raiseItemFloor(id: string, revision: number): void {
    this.itemFloor.set(id, Math.max(revision, this.itemFloor.get(id) ?? 0))
  }

  raiseFloor(seq: number, slot: number): void {
    this.floor = { seq: Math.max(seq, this.floor.seq), slot: Math.max(slot, this.floor.slot) }
  }

  currentMoved(body: Uint8Array, table: ObjectTable): void {
    // A late first manifest may land after all objects were deleted.
    if (this.mayBeDropped) return
    const next = decodeObject(currentSchema, 'CURRENT', body)
    const before = this.current
    this.current = next
    if (before === undefined) return
    const said = `CURRENT ${before.seq}/${before.epoch} ${before.commitId} -> ${next.seq}/${next.epoch} ${next.commitId}`
    if (next.epoch < before.epoch) throw new Violation('commit-chain', `${said}: epoch falls`)
    if (before.format !== 1 && (next.format === 1 || next.floor < before.floor))
      throw new Violation('commit-chain', `${said}: the floor of the log falls`)
    if (next.commitId === before.commitId) {
      if (next.seq !== before.seq || next.manifest !== before.manifest)
        throw new Violation('commit-chain', `${said}: one commit, two versions`)
      return
    }
    const stored = table.get(next.manifest)
    if (stored === undefined)
      throw new Violation('whole-version', `${said}: no manifest ${next.manifest}`)
    const manifest = decodeObject(manifestSchema, next.manifest, stored.body)
    if (
      next.seq !== before.seq + 1 ||
      manifest.seq !== next.seq ||
      manifest.parent !== before.commitId
    )
      throw new Violation('commit-chain', `${said}: parent ${manifest.parent}`)
    this.embedding = manifest.spec.embedding.version
    this.files = new Set([
      next.manifest,
      ...manifestFiles(manifest),
      ...Object.entries(manifest.snapshots).flatMap(([name, snapshot]) =>
        this.snapshotFiles(name, snapshot, table)
      )
    ])
    for (const key of this.files)
      if (table.get(key) === undefined) throw new Violation('whole-version', `${said}: no ${key}`)
    const bodyOf = ({ key }: FileRef): Uint8Array => {
      const entry = table.get(key)
      if (entry === undefined) throw new Violation('whole-version', `${said}: no ${key}`)
      return entry.body
    }
    const content = contentOf(manifest, bodyOf)
    for (const { key } of pagesIn(content)) this.files.add(key)
    for (const { key } of content.of('batch').values()) this.files.add(key)
    for (const [ingestion, { completedSeq, cancelled, done }] of recordsIn(content, bodyOf)) {
      if (completedSeq === next.seq) {
        this.completedSeq.set(ingestion, next.seq)
        this.takenUnder.set(ingestion, this.embedding)
      }
      if (cancelled !== undefined) this.cancelled.set(ingestion, done)
    }
  }

  private snapshotFiles(
    name: string,
    { manifest: key, revision, seq }: SnapshotRecord,
    table: ObjectTable
  ): string[] {
    const stored = table.get(key)
    if (stored === undefined)
      throw new Violation('whole-version', `snapshot ${name}: no manifest ${key}`)
    const manifest = decodeObject(manifestSchema, key, stored.body)
    // The snapshot contains all operations that were accepted before it, and no later operation.
    if (manifest.seq !== seq || manifest.appliedSlot !== slotOf(revision) - 1)
      throw new Violation(
        'effect',
        `snapshot ${name} at revision ${revision} holds version ${manifest.seq} up to slot ${manifest.appliedSlot}`
      )
    return [key, ...manifestFiles(manifest)]
  }

  fileDeleted(key: string): void {
    if (this.mayBeDropped || this.isTorn) return
    if (this.files.has(key))
      throw new Violation('whole-version', `${key} of version ${this.current?.seq} was deleted`)
    const slot = /\/log\/(\d+)$/.exec(key)?.[1]
    if (slot !== undefined && Number(slot) > this.logFloor)
      throw new Violation('effect', `slot ${slot} was deleted, the floor is ${this.logFloor}`)
  }

  /** From now on the test deletes what it likes. */
  tear(): void {
    this.isTorn = true
  }

  /** Returns the revision of an accepted ingestion. */
  revisionOf(ingestion: string): number {
    return this.history.find(
      ({ operation }) => operation.kind === 'ingest' && operation.ingestion === ingestion
    )!.revision
  }

  /** Whether a client has asked to cancel the ingestion of this revision. */
  isCancelAsked(revision: number): boolean {
    return this.history.some(
      ({ operation }) => operation.kind === 'cancel' && operation.revision === revision
    )
  }

  jobIdOf(ingestion: string): string {
    return jobIdOf({ collectionId: this.collectionId, revision: this.revisionOf(ingestion) })
  }

  /** Returns the last effective restore up to a slot; a restore needs its snapshot for effect. */
  lastRestore(
    appliedSlot: number
  ): { revision: number; snapshot: RestoreOperation['snapshot'] } | undefined {
    const snapshots = new Map<string, number>()
    let last: { revision: number; snapshot: RestoreOperation['snapshot'] } | undefined
    for (const { revision, operation } of this.history) {
      if (slotOf(revision) > appliedSlot) break
      if (operation.kind === 'take_snapshot' && !snapshots.has(operation.name))
        snapshots.set(operation.name, revision)
      else if (operation.kind === 'drop_snapshot') snapshots.delete(operation.name)
      else if (
        operation.kind === 'restore' &&
        snapshots.get(operation.name) === operation.snapshot.revision
      )
        last = { revision, snapshot: operation.snapshot }
    }
    return last
  }

  /**
   * Expected content of a version: for each item the newest operation among the applied operations.
   * `open`: done ordinals of unfinished ingestions.
   */
  expectedItems(
    { appliedSlot, open }: { appliedSlot: number; open: Readonly<Record<string, string>> },
    version: string
  ): Map<string, ExpectedItem> {
    const base = this.lastRestore(appliedSlot)
    const items =
      base === undefined
        ? new Map<string, ExpectedItem>()
        : this.expectedItems(base.snapshot, version)
    for (const [id, item] of items) items.set(id, { ...item, revision: base!.revision })
    for (const { revision, operation } of this.history) {
      if (slotOf(revision) > appliedSlot) break
      if (revision <= (base?.revision ?? 0)) continue
      if (operation.kind !== 'ingest') expectEffect(items, operation)
      else {
        const { ingestion } = operation
        const done = open[ingestion] ?? this.cancelled.get(ingestion)
        const plan = this.plans.get(ingestion)!
        expectIngested(items, { plan, done, revision, version: this.versionOf(plan, version) })
      }
    }
    return items
  }

  /** The embedding by which the items of a plan fail or not, in a version with another one. */
  versionOf({ given, ingestion }: IngestionPlan, version: string): string {
    return given ? (this.takenUnder.get(ingestion) ?? version) : version
  }

  /** Operations of a kind that were accepted up to a slot, in their order. */
  operationsOf<K extends Operation['kind']>(
    kind: K,
    upTo = Infinity
  ): Extract<Operation, { kind: K }>[] {
    return this.history.flatMap(({ revision, operation }) =>
      operation.kind === kind && slotOf(revision) <= upTo
        ? [operation as Extract<Operation, { kind: K }>]
        : []
    )
  }

  /** Returns accepted ingestions, with or without an answer. */
  accepted(): IngestionPlan[] {
    return this.history.flatMap(({ operation }) =>
      operation.kind === 'ingest' ? [this.plans.get(operation.ingestion)!] : []
    )
  }
}
