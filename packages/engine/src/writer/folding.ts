// Folds of one writer: begun at a committed version, built while commits go on, named by a commit.
import { forgetNumbers, type WriterState } from '../apply/writer-state.ts'
import { buildFold, type FoldTask } from '../history/fold.ts'
import { appError, isAppError } from '@likeness/shared/errors'
import type { BaseRef } from '../state/history.ts'
import { manifestFiles, type Manifest } from '../version/manifest.ts'
import type { CollectionState } from './collection-state.ts'
import { foldShape } from './fold-shape.ts'
import { type BegunWork, WorkBeside } from './work-beside.ts'

/** A fold that takes longer is given up: its files may be deleted from then on. */
const limitMs = 3_600_000
const dayMs = 86_400_000

interface BegunFold extends BegunWork {
  task: FoldTask
  /** Revisions of the snapshots of the version. */
  snapshots: ReadonlyMap<string, number>
}

export class Folding {
  private readonly collection: CollectionState
  private readonly work: WorkBeside<BegunFold>
  private blockedBy: { name: string; revision: number | undefined } | undefined
  /** Whether something is under way that has to read what a fold replaces. */
  private readonly isBlocked: () => boolean

  constructor(collection: CollectionState, isBlocked: () => boolean) {
    this.collection = collection
    this.isBlocked = isBlocked
    this.work = new WorkBeside(collection.deps.clock, limitMs)
  }

  /** Ids and keys of files that a fold reads or writes. These files are not garbage. */
  heldIds(): ReadonlySet<string> {
    return this.work.heldIds()
  }

  /**
   * Folds the committed version when a fold is due. Returns false when none was due, or the result
   * could not be used. Rejects with ownership_lost, or with an error of the build; then this writer
   * goes on, and the fold may be tried again.
   */
  async fold(): Promise<boolean> {
    const { collection } = this
    const { files, buildFold: build = (task) => buildFold({ ...collection.deps, files }, task) } =
      collection.deps
    const begun = await collection.exclusively(async () => this.begin())
    if (begun === undefined) return false
    try {
      const { base, blockedBy, damage } = await collection.fenced(() =>
        build(begun.task, begun.abort.signal)
      )
      const { logger } = collection.deps
      if (damage !== undefined)
        logger.error({ damage }, 'damage in the history: raw vectors of some items may be lost')
      if (blockedBy !== undefined) return this.block(begun, blockedBy)
      return await collection.exclusively(() =>
        base === null ? this.forgetNumbers() : this.adopt(begun, base)
      )
    } catch (error) {
      // A snapshot was dropped, and its files are deleted: the next fold does without it.
      if (isAppError(error, 'data_corrupt') && this.hasDropped(begun)) return false
      throw error
    } finally {
      this.work.end(begun)
    }
  }

  /** Folds again when that snapshot is dropped. */
  private block({ snapshots }: BegunFold, name: string): false {
    this.blockedBy = { name, revision: snapshots.get(name) }
    this.collection.deps.logger.warn(
      { snapshot: name },
      'the history is not folded until this snapshot is dropped: its items have other numbers'
    )
    return false
  }

  private get isBlockedBySnapshot(): boolean {
    const { blockedBy } = this
    if (blockedBy === undefined) return false
    const { name, revision } = blockedBy
    return this.collection.state.snapshots.get(name)?.revision === revision
  }

  private hasDropped({ snapshots }: BegunFold): boolean {
    const { snapshots: now } = this.collection.state
    return [...snapshots].some(([name, revision]) => now.get(name)?.revision !== revision)
  }

  private begin(): BegunFold | undefined {
    const { state, manifest, current, deps } = this.collection
    if (state.dirty || this.isBlocked() || this.work.isRunning) return undefined
    // A request that waits is found in the log.
    if (state.rebuilds.length > 0 || this.isBlockedBySnapshot) return undefined
    if (!this.isDue(state, manifest)) return undefined
    const foldId = deps.newId()
    const task: FoldTask = {
      collectionId: deps.collectionId,
      version: { key: current.manifest, sha256: current.sha256 },
      foldId,
      nowMs: deps.clock.nowMs(),
      ...(deps.packBytes !== undefined && { packBytes: deps.packBytes }),
      ...(deps.operationRetentionMs !== undefined && {
        operationRetentionMs: deps.operationRetentionMs
      })
    }
    const held = new Set([foldId, current.manifest, ...manifestFiles(manifest)])
    const snapshots = new Map(
      Object.entries(manifest.snapshots).map(([name, { revision }]) => [name, revision])
    )
    const abort = new AbortController()
    return this.work.begin({ task, held, snapshots, beganAtMs: task.nowMs, abort })
  }

  private isDue({ history, batches }: WriterState, { appliedSlot, spec, open }: Manifest): boolean {
    const { deps } = this.collection
    const shape = { ...foldShape, ...deps.foldShape }
    if (history === null) return false
    const { base, floor } = history
    const slots = appliedSlot - (base?.appliedSlot ?? 0)
    // A base carries the lines of small ingestions that are open.
    if ((open.bytes ?? 0) > shape.lineBytes && slots < shape.mostSlots) return false
    const loose = { count: 0, bytes: 0 }
    for (const [, { first, bytes }] of batches) {
      if (first <= (base?.lastArrival ?? 0)) continue
      loose.count++
      loose.bytes += bytes
    }
    const isOld = deps.clock.nowMs() - (base?.createdAtMs ?? spec.createdAtMs) >= shape.afterMs
    // Nothing is deleted before two bases stand for it, and raw vectors go with a fold.
    if (slots === 0 && loose.count === 0)
      return isOld && base !== null && (floor < base.appliedSlot || this.hasOldRaws(base))
    if (isOld || slots >= shape.slots) return true
    return loose.count >= shape.batches || loose.bytes >= shape.batchBytes
  }

  private hasOldRaws({ oldestRawMs }: BaseRef): boolean {
    const { manifest, deps } = this.collection
    const { raw_vector_days: days } = manifest.spec.settings
    if (days === undefined || oldestRawMs === null) return false
    return deps.clock.nowMs() - oldestRawMs >= days * dayMs
  }

  private async adopt(begun: BegunFold, base: BaseRef): Promise<boolean> {
    const { collection } = this
    const { state } = collection
    if (!this.work.isUnderWay(begun) || this.isBlocked() || state.history === null) return false
    const { base: previous, floor } = state.history
    const folded = collection.deps.protocol.floorAfter(base, previous)
    Object.assign(state.history, { base, previous, floor: Math.max(floor, folded) })
    // Batches of later arrivals stay: the base before may have to take the place of the new one.
    for (const [key, { first }] of [...state.batches])
      if (first <= (previous?.lastArrival ?? 0)) state.batches.delete(key)
    state.dirty = true
    await collection.commit()
    return true
  }

  /** A restored snapshot has items of a program before 0.4. A rebuild gives them numbers. */
  private async forgetNumbers(): Promise<boolean> {
    const { collection } = this
    const { state, deps } = collection
    if ((state.history?.floor ?? 0) > 0)
      throw appError('internal', 'a version that was folded has items without numbers')
    deps.logger.warn('items of a program before 0.4 were restored: the history is not folded')
    forgetNumbers(state)
    state.dirty = true
    await collection.commit()
    return false
  }
}
