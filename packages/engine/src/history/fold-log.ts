// What a fold takes of the log: which operations there were, the lines of small ingestions that are
// still open, and what may have changed labels.
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import { type LoggedOperation, revisionOf } from '@likeness/shared/contract/operation'
import { hashName, itemHash } from '../item/item-hash.ts'
import { slotsBetween } from '../log/log-history.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { FileRef } from '../state/file-ref.ts'
import type { IngestionRecord } from '../state/job-record.ts'
import { openJobs, type StateContent } from '../state/read-state.ts'
import type { Base, HeldLog } from '../base/base.ts'
import { type CarriedLines, readCarried, writeCarried } from '../base/carried-lines.ts'
import {
  OperationIndexWriter,
  type OperationsPart,
  readOperations
} from '../base/operation-index.ts'

/** An index that is smaller is joined with the next one. */
const joinedBytes = 1024 * 1024
/** Indexes that are kept whatever their age. */
const keptParts = 4

interface FoldedLogDeps extends WorkSource {
  put(key: string, body: Uint8Array): Promise<FileRef>
}
/** The version that is folded, and the base before it. */
interface FoldedVersion {
  appliedSlot: number
  content: StateContent
  previous: Base | null
  /** State lines of that base. */
  before: StateContent
}
interface Stamp {
  foldId: string
  nowMs: number
  /** Milliseconds for which it is known what the log had. */
  operationRetentionMs: number
}

export class FoldedLog {
  /** Names of the hashes of items that were relabelled. */
  readonly relabelled = new Set<string>()
  /** Whether a snapshot was restored. */
  isRestored = false
  private readonly deps: FoldedLogDeps
  private readonly version: FoldedVersion
  private readonly index = new OperationIndexWriter()
  private carried: CarriedLines = new Map()
  private readonly open: ReadonlyMap<number, IngestionRecord>

  private constructor(deps: FoldedLogDeps, version: FoldedVersion) {
    this.deps = deps
    this.version = version
    this.open = openIn(version.content)
  }

  /** Reads the slots that the base before does not stand for. */
  static async read(deps: FoldedLogDeps, version: FoldedVersion): Promise<FoldedLog> {
    const log = new FoldedLog(deps, version)
    await log.carry()
    for await (const { slot, log: stored } of slotsBetween(deps, log.after, version.appliedSlot))
      for (const [at, operation] of stored.operations.entries())
        log.follow(operation, revisionOf(slot, at))
    return log
  }

  private get after(): number {
    const { previous } = this.version
    return previous === null || previous.log === null ? 0 : previous.appliedSlot
  }

  /** Takes over the lines of what is still open. What has ended since is among the operations again. */
  private async carry(): Promise<void> {
    const {
      deps: { store },
      version: { previous, before },
      open,
      index
    } = this
    for (const { file } of previous?.log?.lines ?? [])
      for (const [revision, lines] of await readCarried(store, file))
        if (open.has(revision)) this.carried.set(revision, lines)
    if (previous === null || previous.log === null) return
    for (const [revision, { ingestion }] of openIn(before))
      if (!open.has(revision)) index.add({ opId: ingestion, revision, ingestion })
  }

  private follow(operation: LoggedOperation, revision: number): void {
    const { index, open, relabelled } = this
    const { kind, opId } = operation
    const ingestion = kind === 'ingest' ? operation.ingestion : undefined
    index.add({ opId, revision, ingestion })
    if (kind === 'restore') this.isRestored = true
    if (kind === 'relabel') for (const id of operation.ids) relabelled.add(hashName(itemHash(id)))
    if (kind === 'ingest' && operation.items !== undefined && open.has(revision))
      this.carried.set(revision, operation.items)
  }

  /** Writes what the new base has of the log. */
  async write(keys: CollectionKeys, stamp: Stamp): Promise<HeldLog> {
    const { put } = this.deps
    const lines = await writeCarried(this.carried, (number, body) =>
      put(keys.carriedLines(stamp.foldId, number), body)
    )
    return { operations: await this.writeOperations(keys, stamp), lines }
  }

  private async writeOperations(
    keys: CollectionKeys,
    { foldId, nowMs, operationRetentionMs }: Stamp
  ): Promise<OperationsPart[]> {
    const {
      deps: { store, put },
      index,
      version: { previous, appliedSlot }
    } = this
    const parts = keptOf(previous?.log?.operations ?? [], nowMs - operationRetentionMs)
    if (index.size === 0) return parts
    let first = this.after + 1
    const last = parts.at(-1)
    if (last !== undefined && last.file.sizeBytes < joinedBytes) {
      index.addAll(await readOperations(store, last.file))
      first = last.first
      parts.pop()
    }
    const file = await put(keys.operations(foldId), index.encode())
    return [...parts, { first, last: appliedSlot, atMs: nowMs, file }]
  }
}

/** Without those that are too old. `parts`: oldest first. */
const keptOf = (parts: readonly OperationsPart[], beforeMs: number): OperationsPart[] =>
  parts.filter(({ atMs }, at) => atMs >= beforeMs || at >= parts.length - keptParts)

const openIn = (content: StateContent): Map<number, IngestionRecord> =>
  new Map(openJobs(content).map((record) => [record.revision, record]))
