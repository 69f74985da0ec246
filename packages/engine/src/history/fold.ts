// Folds a committed version: writes its loose batches into packs, and a base that holds the version
// without its segments. All of it is a function of the version and of immutable objects. So what an
// owner writes that is replaced meanwhile is true, and only not named.
import { collectionKeys, type CollectionKeys } from '@likeness/shared/contract/keys'
import { type AppError, appError } from '@likeness/shared/errors'
import { nameOfHex } from '../item/item-hash.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { FileRef } from '../state/file-ref.ts'
import type { BaseRef, LooseBatch } from '../state/history.ts'
import { isLost, readPart, readStateLines, StateContent } from '../state/read-state.ts'
import type { StateRef } from '../state/state-lines.ts'
import { type Manifest, mustReadManifest } from '../version/manifest.ts'
import { ArrivalSet } from './arrival-set.ts'
import { type Base, encodeBase, type PackRef, readBase, refOf, type View } from '../base/base.ts'
import { arrivalsOfSegments } from './arrivals-of-segments.ts'
import { checkPacks } from './check-packs.ts'
import { DeadPictures } from './dead-pictures.ts'
import { FoldedLog } from './fold-log.ts'
import { arrivalsOfPacks, packsToRewrite } from './fold-packs.ts'
import { decodeLabels, encodeLabels, type Labels } from './labels.ts'
import { looseArrivals, type OnDamage } from './loose-arrivals.ts'
import { type MendedPacks, mendPacks } from './mend-packs.ts'
import { OtherNumbers, snapshotViews } from './snapshot-views.ts'
import { PackWriter } from '../base/pack.ts'
import { type ChangedLabels, type ReadView, readView, Unnumbered } from './view.ts'

/** Bytes of arrivals after which a pack ends. As much is in memory while a pack is written. */
export const packBytes = 64 * 1024 * 1024
/** Numbers of packs that are written again begin here. */
const firstRewritten = 1_000_000
/** Numbers of packs that were damaged: this and their first arrival. */
const firstMended = 2_000_000
const dayMs = 86_400_000

export interface FoldTask {
  collectionId: string
  /** Manifest of the version, which stays until the fold has ended. */
  version: Pick<FileRef, 'key' | 'sha256'>
  /** Names of all objects that the fold writes hold this id. */
  foldId: string
  nowMs: number
  packBytes?: number
  /** Milliseconds for which it is known which operations the log had. Default: for ever. */
  operationRetentionMs?: number
}
export interface FoldDeps extends Omit<WorkSource, 'keys'> {
  files: SegmentFiles
}
export interface FoldResult {
  /** null: the version has items without numbers. A program before 0.4 took them in. */
  base: BaseRef | null
  /** A snapshot whose arrivals have other numbers than those of the version: nothing is folded. */
  blockedBy?: string
  /** A batch or a pack is damaged: its items are taken from segments, or the pack stays as it is. */
  damage?: string
}
export type BuildFold = (task: FoldTask, signal?: AbortSignal) => Promise<FoldResult>

/**
 * Throws data_corrupt when the version or its batches are damaged. After a rejection some files may
 * be written. No version names them.
 */
export async function buildFold(deps: FoldDeps, task: FoldTask): Promise<FoldResult> {
  const version = await mustReadManifest(deps.store, task.version.key, task.version.sha256)
  if (version.history === null)
    throw appError('internal', 'a version without numbers was to be folded')
  const keys = collectionKeys(task.collectionId)
  try {
    return await new Fold({ ...deps, keys }, task, version).run()
  } catch (error) {
    if (error instanceof Unnumbered) return { base: null }
    if (error instanceof OtherNumbers) return { base: null, blockedBy: error.snapshot }
    throw error
  }
}

interface PackStart {
  after: number
  firstNumber: number
  atMs: number
}

class Fold {
  private readonly deps: FoldDeps & WorkSource
  private readonly task: FoldTask
  private readonly version: Manifest
  private readonly keys: CollectionKeys
  private damage: string | undefined

  constructor(deps: FoldDeps & WorkSource, task: FoldTask, version: Manifest) {
    this.deps = deps
    this.task = task
    this.version = version
    this.keys = deps.keys
  }

  async run(): Promise<FoldResult> {
    const { deps, task, version } = this
    const { files } = deps
    const history = version.history!
    const previous = history.base && (await readBase(deps.store, history.base))
    const content = await this.readLines(version.state)
    const before = previous ? await this.readLines(previous.state) : new StateContent()
    const put = (key: string, body: Uint8Array) => files.put(key, body)
    const log = await FoldedLog.read(
      { ...deps, put },
      { appliedSlot: version.appliedSlot, content, previous, before }
    )
    const changed = await this.changedLabels(log, previous, before)
    const live = await readView(files, version.segments, changed)
    this.mustCount(live.live)
    const write = (name: string, view: ReadView) => this.writeView(name, view)
    const snapshots = await snapshotViews(deps, { version, previous, content, changed, write })
    const kept = ArrivalSet.union([live.live, ...snapshots.map(({ live: held }) => held)])
    const pictures = new DeadPictures(deps, task.foldId)
    const { packs: whole, checkedFrom } = await this.mended(previous, kept)
    const packs = this.withoutOldRaws([
      ...(await this.rewritten(whole, kept)),
      ...(await this.writePacks(content, kept, pictures))
    ])
    const base: Base = {
      format: 1,
      seq: version.seq,
      epoch: version.epoch,
      commitId: version.commitId,
      createdAtMs: task.nowMs,
      appliedSlot: version.appliedSlot,
      lastArrival: history.lastArrival,
      restored: history.restored,
      spec: version.spec,
      counts: version.counts,
      state: version.state,
      snapshots: Object.fromEntries(snapshots.map(({ key, entry }) => [key, entry])),
      reprojection: version.reprojection,
      view: await this.writeView('live', live),
      packs,
      checkedFrom,
      deadPictures: version.spec.settings.keep_pictures
        ? []
        : await pictures.write({ previous, content, packs, kept, restored: history.restored }),
      log: await log.write(this.keys, { ...task, operationRetentionMs: this.operationRetentionMs }),
      previous: history.base
    }
    const key = this.keys.base(version.appliedSlot, version.epoch, task.foldId)
    const written = await files.put(key, encodeBase(base))
    await readBase(deps.store, written)
    const { damage } = this
    return { base: refOf(written, base), ...(damage !== undefined && { damage }) }
  }

  private get operationRetentionMs(): number {
    return this.task.operationRetentionMs ?? Infinity
  }

  private readLines(state: StateRef): Promise<StateContent> {
    return readStateLines(state, (ref) => this.deps.files.get(ref))
  }

  /** Throws data_corrupt: the segments of the version do not have as many items as it says. */
  private mustCount(live: ArrivalSet): void {
    const { counts, commitId } = this.version
    if (live.size !== counts.items)
      throw appError(
        'data_corrupt',
        `version ${commitId} has ${counts.items} items, its segments have ${live.size}`
      )
  }

  /**
   * Finds whose labels may have changed since the last base: the items that the log relabels, those
   * for which an update waited, and after a restore everything that any version had relabelled.
   */
  private async changedLabels(
    { relabelled, isRestored }: FoldedLog,
    previous: Base | null,
    before: StateContent
  ): Promise<ChangedLabels> {
    const waited = [...before.of('update').keys()].map(nameOfHex)
    const arrivals = new Set<number>()
    if (isRestored)
      for (const { view } of [
        ...Object.values(previous?.snapshots ?? {}),
        ...(previous ? [previous] : [])
      ])
        for (const arrival of (await this.readLabels(view)).keys()) arrivals.add(arrival)
    const items = new Set([...relabelled, ...waited])
    return { items, arrivals, before: await this.readLabels(previous?.view) }
  }

  private async readLabels(view: View | undefined): Promise<Labels> {
    const file = view?.labels ?? null
    if (file === null) return new Map()
    return decodeLabels(file.key, await readPart(this.deps.store, file))
  }

  private async writeView(name: string, { live, labels }: ReadView): Promise<View> {
    const { files } = this.deps
    const { foldId } = this.task
    return {
      live: await files.put(this.keys.liveArrivals(foldId, name), live.encode()),
      labels:
        labels.size === 0
          ? null
          : await files.put(this.keys.changedLabels(foldId, name), encodeLabels(labels))
    }
  }

  /** Names no raw vectors that are past their retention. */
  private withoutOldRaws(packs: PackRef[]): PackRef[] {
    const { raw_vector_days: days } = this.version.spec.settings
    if (days === undefined) return packs
    const beforeMs = this.task.nowMs - days * dayMs
    return packs.map((pack) => (pack.atMs <= beforeMs ? { ...pack, raw: null } : pack))
  }

  private packWriter({ after, firstNumber, atMs }: PackStart): PackWriter {
    const { task, deps, keys } = this
    return new PackWriter(
      deps.files,
      (number, part) => keys.pack(task.foldId, firstNumber + number, part),
      { packBytes: this.packBytes, after, atMs, imagePrefix: keys.imagePrefix }
    )
  }

  private get packBytes(): number {
    return this.task.packBytes ?? packBytes
  }

  /** Writes the arrivals of all loose batches that the version or a snapshot has. */
  private async writePacks(
    content: StateContent,
    kept: ArrivalSet,
    pictures: DeadPictures
  ): Promise<PackRef[]> {
    const { lastArrival, base } = this.version.history!
    const after = base?.lastArrival ?? 0
    const writer = this.packWriter({ after, firstNumber: 0, atMs: this.task.nowMs })
    const onDamage: OnDamage = (batch, error) => this.salvaged(batch, error)
    const loose = { version: this.version, content, onDamage }
    for await (const { origin, arrival } of looseArrivals(this.deps, loose))
      if (kept.has(arrival.arrival)) await writer.add(origin, arrival)
      else pictures.see(arrival.item.imageKey)
    return await this.ended(writer, kept, { after, until: lastArrival })
  }

  /** A batch that is damaged does not end a fold: the segments have its items too. */
  private async *salvaged(batch: LooseBatch, error: AppError): ReturnType<OnDamage> {
    this.damage = error.message
    yield* arrivalsOfSegments(this.deps, this.version, batch)
  }

  private async ended(
    writer: PackWriter,
    kept: ArrivalSet,
    range: { after: number; until: number }
  ): Promise<PackRef[]> {
    const packs = await writer.end(range.until)
    await checkPacks(this.deps.store, packs, { isKept: (arrival) => kept.has(arrival), ...range })
    return packs
  }

  private async mended(
    previous: Base | null,
    kept: ArrivalSet
  ): Promise<Omit<MendedPacks, 'damage'>> {
    if (previous === null) return { packs: [], checkedFrom: 0 }
    const { version } = this
    const writerFor = ({ first, atMs }: PackRef): PackWriter =>
      this.packWriter({ after: first - 1, firstNumber: firstMended + first, atMs })
    const mended = await mendPacks(this.deps, previous, { version, kept, writerFor })
    this.damage = mended.damage
    return mended
  }

  /**
   * Writes some of the packs again when too much of them is dead. Damaged ones stay as they are: that
   * does not end a fold.
   */
  private async rewritten(packs: readonly PackRef[], kept: ArrivalSet): Promise<PackRef[]> {
    const { deps } = this
    const range = packsToRewrite(packs, kept, { packBytes: this.packBytes })
    if (range === undefined) return [...packs]
    const { from, to } = range
    const old = packs.slice(from, to)
    const [after, until] = [old[0]!.first - 1, old.at(-1)!.last]
    const atMs = Math.max(...old.map((pack) => pack.atMs))
    const writer = this.packWriter({ after, firstNumber: firstRewritten, atMs })
    try {
      for await (const { origin, arrival } of arrivalsOfPacks(deps.store, old))
        if (kept.has(arrival.arrival)) await writer.add(origin, arrival)
      const again = await this.ended(writer, kept, { after, until })
      return [...packs.slice(0, from), ...again, ...packs.slice(to)]
    } catch (error) {
      if (!isLost(error)) throw error
      this.damage = error.message
      return [...packs]
    }
  }
}
