// Folds a committed version: writes its loose batches into packs, and a base that holds the version
// without its segments. All of it is a function of the version and of immutable objects. So what an
// owner writes that is replaced meanwhile is true, and only not named.
import { collectionKeys, type CollectionKeys } from '@likeness/shared/contract/keys'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { appError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { hashName, itemHash, nameOfHex } from '../item/item-hash.ts'
import { slotsBetween } from '../log/log-history.ts'
import { readBatch } from '../log/read-batches.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { FileRef } from '../state/file-ref.ts'
import type { BaseRef, LooseBatch } from '../state/history.ts'
import { readPart, readStateLines } from '../state/read-state.ts'
import { type Manifest, mustReadManifest } from '../version/manifest.ts'
import { ArrivalSet } from './arrival-set.ts'
import { type Base, encodeBase, readBase, refOf, type View } from './base.ts'
import { checkPacks } from './check-packs.ts'
import { decodeLabels, encodeLabels, type Labels } from './labels.ts'
import { arrivalsOf } from './pack-arrivals.ts'
import { PackWriter } from './pack.ts'
import { type ChangedLabels, type ReadView, readView, Unnumbered } from './view.ts'

const batchesAhead = 4
/** Bytes of arrivals after which a pack ends. As much is in memory while a pack is written. */
export const packBytes = 64 * 1024 * 1024

export interface FoldTask {
  collectionId: string
  /** Manifest of the version, which stays until the fold has ended. */
  version: Pick<FileRef, 'key' | 'sha256'>
  /** Names of all objects that the fold writes hold this id. */
  foldId: string
  nowMs: number
  packBytes?: number
}
export interface FoldDeps extends Omit<WorkSource, 'keys'> {
  files: SegmentFiles
}
export interface FoldResult {
  /** null: the version has items without numbers. A program before 0.4 took them in. */
  base: BaseRef | null
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
    return { base: await new Fold({ ...deps, keys }, task, version).run() }
  } catch (error) {
    if (error instanceof Unnumbered) return { base: null }
    throw error
  }
}

class Fold {
  private readonly deps: FoldDeps & WorkSource
  private readonly task: FoldTask
  private readonly version: Manifest
  private readonly keys: CollectionKeys

  constructor(deps: FoldDeps & WorkSource, task: FoldTask, version: Manifest) {
    this.deps = deps
    this.task = task
    this.version = version
    this.keys = deps.keys
  }

  async run(): Promise<BaseRef> {
    const { deps, task, version } = this
    const { files } = deps
    const history = version.history!
    const previous = history.base && (await readBase(deps.store, history.base))
    const changed = await this.changedLabels(previous)
    const live = await readView(files, version.segments, changed)
    this.mustCount(live.live)
    const snapshots = await this.snapshotViews(previous, changed)
    const kept = [live.live, ...snapshots.map(({ live: held }) => held)]
    const isKept = (arrival: number): boolean => kept.some((set) => set.has(arrival))
    const packs = await this.writePacks(isKept)
    await checkPacks(deps.store, packs, { isKept, after: history.base?.lastArrival ?? 0 })
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
      packs: [...(previous?.packs ?? []), ...packs],
      previous: history.base
    }
    const key = this.keys.base(version.appliedSlot, version.epoch, task.foldId)
    const written = await files.put(key, encodeBase(base))
    await readBase(deps.store, written)
    return refOf(written, base)
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
  private async changedLabels(previous: Base | null): Promise<ChangedLabels> {
    const items = await this.waitingItems(previous)
    let isRestored = false
    const after = previous?.appliedSlot ?? 0
    for await (const { log } of slotsBetween(this.deps, after, this.version.appliedSlot)) {
      for (const operation of log.operations) {
        if (operation.kind === 'restore') isRestored = true
        if (operation.kind === 'relabel')
          for (const id of operation.ids) items.add(hashName(itemHash(id)))
      }
    }
    const arrivals = new Set<number>()
    const before = await this.readLabels(previous?.view)
    if (isRestored)
      for (const { view } of [
        ...Object.values(previous?.snapshots ?? {}),
        ...(previous ? [previous] : [])
      ])
        for (const arrival of (await this.readLabels(view)).keys()) arrivals.add(arrival)
    return { items, arrivals, before }
  }

  /** Names of the hashes of items that an update waited for, when the last base was made. */
  private async waitingItems(previous: Base | null): Promise<Set<string>> {
    if (previous === null) return new Set()
    const content = await readStateLines(previous.state, (ref) => this.deps.files.get(ref))
    const names = [...content.of('update').keys()]
    return new Set(names.map(nameOfHex))
  }

  private async readLabels(view: View | undefined): Promise<Labels> {
    const file = view?.labels ?? null
    if (file === null) return new Map()
    return decodeLabels(file.key, await readPart(this.deps.store, file))
  }

  /** What a snapshot holds never changes: it is read once. */
  private async snapshotViews(previous: Base | null, changed: ChangedLabels) {
    const { files, store } = this.deps
    const views: { key: string; entry: Base['snapshots'][string]; live: ArrivalSet }[] = []
    for (const [name, record] of Object.entries(this.version.snapshots)) {
      const key = String(record.revision)
      const known = previous?.snapshots[key]
      if (known !== undefined) {
        const live = ArrivalSet.decode(await files.get(known.view.live))
        views.push({ key, live, entry: { name, record, view: known.view } })
        continue
      }
      const held = await mustReadManifest(store, record.manifest, record.sha256)
      const read = await readView(files, held.segments, changed)
      const entry = { name, record, view: await this.writeView(key, read) }
      views.push({ key, live: read.live, entry })
    }
    return views
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

  /** Writes the arrivals of all loose batches that the version or a snapshot has. */
  private async writePacks(isKept: (arrival: number) => boolean) {
    const { deps, task, version } = this
    const { lastArrival, base } = version.history!
    const content = await readStateLines(version.state, (ref) => deps.files.get(ref))
    const loose = [...content.of('batch').values()].sort((a, b) => a.first - b.first)
    const writer = new PackWriter(deps.files, (...part) => this.keys.pack(task.foldId, ...part), {
      packBytes: task.packBytes ?? packBytes,
      after: base?.lastArrival ?? 0
    })
    const read = async (batch: LooseBatch) => ({ batch, stored: await this.readLoose(batch) })
    for await (const { batch, stored } of mapInOrder(loose, batchesAhead, read))
      for (const { origin, arrival } of arrivalsOf(batch, stored))
        if (isKept(arrival.arrival)) await writer.add(origin, arrival)
    return await writer.end(lastArrival)
  }

  private async readLoose({ key, items }: LooseBatch) {
    const { deps, version } = this
    const read = await retryStore(deps.clock, () => readBatch(deps, version.spec, key), deps.signal)
    if (read?.batch.header.items.length !== items)
      throw appError(
        'data_corrupt',
        `${key} was taken in with ${items} items, and is missing or another`
      )
    return read.batch
  }
}
