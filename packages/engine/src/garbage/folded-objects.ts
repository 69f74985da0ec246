// Objects of the log, and batches and lists, that two bases stand for. They are deleted one fold late,
// so that the base before can take the place of a damaged one.
import { parseBatchKey, seqOfEndedJobs } from '@likeness/shared/contract/keys'
import { slotOf } from '@likeness/shared/contract/operation'
import { isShared, partsOf } from '@likeness/shared/contract/vector-batch'
import { ulidPattern, ulidTimeMs } from '@likeness/shared/data/ulid'
import { retryStore } from '@likeness/store/retry-store'
import { type Base, readBase } from '../base/base.ts'
import { HeldLogs } from '../base/held-logs.ts'
import { KnownOperations } from '../base/known-operations.ts'
import { decodeDeadPictures } from '../base/picture-names.ts'
import { KeyPages, keysPerPage } from '../log/key-pages.ts'
import { peekHeader } from '../log/read-batches.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { BaseRef, LooseBatch } from '../state/history.ts'
import { isLost, openJobs, readPart, readStateLines } from '../state/read-state.ts'
import { decodePage, type IngestionRecord } from '../state/job-record.ts'
import type { JobPage } from '../state/state-lines.ts'
import type { AppliedState } from './accepted-ingestions.ts'

const ulidChars = 26
const dayMs = 86_400_000

export interface FoldedObjectsDeps extends WorkSource {
  /** Time for which a superseded version, and what it names, may still be read. */
  retentionMs: number
  /** Time that an upload may take. */
  uploadRetentionMs?: number
}
export interface FoldedState extends Pick<AppliedState, 'history' | 'ingestions'> {
  /** Batches that no base but the newest stands for. */
  batches: Iterable<readonly [string, LooseBatch]>
  /** Records of ended jobs, and pages of them. */
  ended: Iterable<readonly [string, IngestionRecord]>
  pages: Iterable<readonly [string, JobPage]>
}

/** What the older of the two bases says. */
interface Folded {
  base: Base
  /** Batches that are in its packs. */
  batches: ReadonlySet<string>
  /** Ingestions that were open in its version. */
  open: ReadonlySet<string>
}

/** An older base, and when it was seen to be one. */
interface Waiting {
  ref: BaseRef
  sinceMs: number
}
/** So many bases wait at most: with a fold every few seconds, most of them are passed over. */
const mostWaiting = 4

export class FoldedObjects {
  private readonly deps: FoldedObjectsDeps
  private readonly known: KnownOperations
  private readonly held: HeldLogs
  /** Oldest first. A fold that comes meanwhile makes none of them wait longer. */
  private waiting: Waiting[] = []
  /** The base of which objects are deleted. */
  private pass: { ref: BaseRef; pages?: AsyncGenerator<string[]> } | undefined
  private seen: string | undefined
  private state: FoldedState | undefined

  constructor(deps: FoldedObjectsDeps) {
    this.deps = deps
    this.known = new KnownOperations(deps.store)
    this.held = new HeldLogs(deps.store)
  }

  /** Whether there may be something to delete by now. */
  private hasLeft({ history }: FoldedState): boolean {
    const { clock, retentionMs } = this.deps
    const nowMs = clock.nowMs()
    const previous = history?.previous ?? null
    // After the loss of the newest base, the one before is the only one that stands for its objects.
    const isOlder = ({ ref }: Pick<Waiting, 'ref'>): boolean =>
      previous !== null && ref.appliedSlot <= previous.appliedSlot
    if (this.pass !== undefined && !isOlder(this.pass)) this.pass = undefined
    const waiting = this.waiting.filter(isOlder)
    this.waiting = waiting
    const last = waiting.at(-1)
    const isNew = previous !== null && previous.key !== this.seen
    if (isNew && (last === undefined || nowMs - last.sinceMs >= retentionMs / mostWaiting)) {
      this.seen = previous.key
      waiting.push({ ref: previous, sinceMs: nowMs })
    }
    if (this.pass !== undefined) return true
    const due = waiting.findLast(({ sinceMs }) => nowMs - sinceMs >= retentionMs)
    if (due === undefined) return false
    this.waiting = waiting.slice(waiting.indexOf(due) + 1)
    this.pass = { ref: due.ref }
    return true
  }

  /**
   * Returns the next objects to delete, by the committed version: undefined when there are none any
   * more. They may be deleted once CURRENT has moved. Throws data_corrupt or object_not_found when the
   * base is damaged.
   */
  async next(state: FoldedState): Promise<string[] | undefined> {
    this.state = state
    while (this.hasLeft(state)) {
      const pass = this.pass!
      try {
        pass.pages ??= this.pages(pass.ref)
        for (;;) {
          const page = await pass.pages.next()
          if (page.done === true) break
          if (page.value.length > 0) return page.value
        }
        this.pass = undefined
      } catch (error) {
        // The next call begins again, unless the same would come of it.
        if (isLost(error)) this.pass = undefined
        else pass.pages = undefined
        throw error
      }
    }
    return undefined
  }

  private async *pages(ref: BaseRef): AsyncGenerator<string[]> {
    const { keys, store, clock, signal } = this.deps
    const folded = await retryStore(
      clock,
      async () => readFolded(store, await readBase(store, ref)),
      signal
    )
    const lastSlot = keys.logSlot(folded.base.appliedSlot)
    yield* this.listed(keys.logPrefix, async (key) => key <= lastSlot, lastSlot)
    const named = (): ReadonlySet<string> =>
      new Set([...this.state!.batches].map(([, { key }]) => key))
    for (const [prefix, isOver] of [
      [keys.batchesPrefix, (key: string) => this.isOwnOver(folded, key)],
      [keys.sharedBatchesPrefix, (key: string) => this.isSharedOver(folded, key)]
    ] as const) {
      const kept = named()
      yield* this.listed(prefix, async (key) => {
        if (kept.has(key)) return false
        return folded.batches.has(key) || (await isOver(key))
      })
    }
    const ingestionIn = (key: string, prefix: string): string =>
      key.slice(prefix.length, prefix.length + ulidChars)
    yield* this.listed(keys.ingestionsPrefix, (key) =>
      this.isOver(folded, ingestionIn(key, keys.ingestionsPrefix))
    )
    const forgottenMs = await retryStore(
      clock,
      () => forgottenBeforeMs(this.deps, this.state!),
      signal
    )
    yield* this.listed(keys.jobPrefix, async (key) => {
      const seq = seqOfEndedJobs(key)
      if (seq !== undefined) return seq <= folded.base.seq
      const ingestion = ingestionIn(key, keys.jobPrefix)
      if (key === keys.jobResult(ingestion)) return await this.isOver(folded, ingestion)
      return (
        ulidPattern.test(ingestion) &&
        ulidTimeMs(ingestion) < forgottenMs &&
        !this.state!.ingestions.has(ingestion)
      )
    })
    yield* this.deadPictures(folded.base)
  }

  /** A list goes after its pictures: as long as it is there, bases name it. */
  private async *deadPictures({ deadPictures }: Base): AsyncGenerator<string[]> {
    const { store, clock, keys, signal } = this.deps
    for (const list of deadPictures) {
      const read = async () => decodeDeadPictures(list.key, await readPart(store, list))
      let names: string[]
      try {
        names = await retryStore(clock, read, signal)
      } catch (error) {
        // Deleted with its pictures, or damaged: then they stay.
        if (isLost(error)) continue
        throw error
      }
      for (let at = 0; at < names.length; at += keysPerPage)
        yield names.slice(at, at + keysPerPage).map((name) => `${keys.imagePrefix}${name}`)
      yield [list.key]
    }
  }

  /** Yields the keys under a prefix that a rule takes, page by page, up to a key. */
  private async *listed(
    prefix: string,
    takes: (key: string) => Promise<boolean>,
    until = '~'
  ): AsyncGenerator<string[]> {
    const pages = new KeyPages(this.deps, prefix, '')
    for (;;) {
      const keys = await pages.next()
      const taken: string[] = []
      for (const key of keys) if (key <= until && (await takes(key))) taken.push(key)
      yield taken
      if (keys.length < keysPerPage || keys.at(-1)! > until) return
    }
  }

  private async isOwnOver(folded: Folded, key: string): Promise<boolean> {
    const ingestion = parseBatchKey(key)?.ingestion
    return ingestion !== undefined && (await this.isOver(folded, ingestion))
  }

  /**
   * Whether an ingestion was accepted in a slot that the older base stands for, and had ended by then.
   * One whose operation nobody knows any more stays.
   */
  private async isOver(folded: Folded, ingestion: string): Promise<boolean> {
    const { ingestions, history } = this.state!
    if (ingestions.has(ingestion) || folded.open.has(ingestion)) return false
    if (!ulidPattern.test(ingestion)) return false
    const { clock, signal } = this.deps
    // The newest base has the index. Parts of it that the older one names may be joined by now.
    const find = async () => {
      const { operations } = await this.held.get(history?.base ?? null)
      return await this.known.findIngestion(operations, ingestion)
    }
    const revision = await retryStore(clock, find, signal)
    return revision !== undefined && slotOf(revision) <= folded.base.appliedSlot
  }

  /** Whether all ingestions of a shared batch had ended. Their revisions are in its head. */
  private async isSharedOver({ base, open }: Folded, key: string): Promise<boolean> {
    const { ingestions } = this.state!
    const { store, clock, signal } = this.deps
    const header = await retryStore(clock, () => peekHeader(store, key), signal)
    if (header === undefined || header === null || !isShared(header)) return false
    return partsOf(header).every(
      ({ ingestion, revision }) =>
        slotOf(revision) <= base.appliedSlot && !open.has(ingestion) && !ingestions.has(ingestion)
    )
  }
}

/**
 * Time before which an ingestion began of which no job is known any more: its failures can go. The
 * records of ended jobs are dropped by age, so those that are left are the newest.
 */
async function forgottenBeforeMs(
  { store, clock, uploadRetentionMs = 0 }: FoldedObjectsDeps,
  { ended, pages }: FoldedState
): Promise<number> {
  const [oldest] = [...pages].map(([, page]) => page).sort((a, b) => a.first - b.first)
  const records = [...ended].map(([, record]) => record)
  if (oldest !== undefined)
    records.push(...decodePage(oldest.file.key, await readPart(store, oldest.file)))
  const beganMs = records.map(({ createdAtMs = 0 }) => createdAtMs)
  // An upload may take a while until it is in the log.
  return Math.min(clock.nowMs(), ...beganMs) - Math.max(dayMs, uploadRetentionMs)
}

async function readFolded(store: WorkSource['store'], base: Base): Promise<Folded> {
  const content = await readStateLines(base.state, (ref) => readPart(store, ref))
  return {
    base,
    batches: new Set([...content.of('batch').values()].map(({ key }) => key)),
    open: new Set(openJobs(content).map(({ ingestion }) => ingestion))
  }
}
