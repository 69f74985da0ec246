// Folds of one writer: begun at a committed version, built while commits go on, named by a commit.
import { forgetNumbers, type WriterState } from '../apply/writer-state.ts'
import { buildFold, type FoldTask } from '../history/fold.ts'
import { isAppError } from '@likeness/shared/errors'
import type { BaseRef } from '../state/history.ts'
import { manifestFiles, type Manifest } from '../version/manifest.ts'
import type { CollectionState } from './collection-state.ts'
import { foldShape } from './fold-shape.ts'

/** A fold that takes longer is given up: its files may be deleted from then on. */
const limitMs = 3_600_000

interface UnderWay {
  task: FoldTask
  /** Files that the fold reads, and the id under which it writes. They are not garbage. */
  held: ReadonlySet<string>
  /** Revisions of the snapshots of the version. */
  snapshots: ReadonlyMap<string, number>
  beganAtMs: number
  abort: AbortController
}

export class Folding {
  private readonly collection: CollectionState
  private underWay: UnderWay | undefined
  /** Whether something is under way that has to read what a fold replaces. */
  private readonly isBlocked: () => boolean

  constructor(collection: CollectionState, isBlocked: () => boolean) {
    this.collection = collection
    this.isBlocked = isBlocked
  }

  /** Ids and keys of files that a fold reads or writes. These files are not garbage. */
  heldIds(): ReadonlySet<string> {
    const { underWay } = this
    if (underWay === undefined) return new Set()
    if (this.collection.deps.clock.nowMs() - underWay.beganAtMs < limitMs) return underWay.held
    underWay.abort.abort()
    this.underWay = undefined
    return new Set()
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
      const { base } = await collection.fenced(() => build(begun.task, begun.abort.signal))
      return await collection.exclusively(() =>
        base === null ? this.forgetNumbers() : this.adopt(begun, base)
      )
    } catch (error) {
      // A snapshot was dropped, and its files are deleted: the next fold does without it.
      if (isAppError(error, 'data_corrupt') && this.hasDropped(begun)) return false
      throw error
    } finally {
      if (this.underWay === begun) this.underWay = undefined
    }
  }

  private hasDropped({ snapshots }: UnderWay): boolean {
    const { snapshots: now } = this.collection.state
    return [...snapshots].some(([name, revision]) => now.get(name)?.revision !== revision)
  }

  private begin(): UnderWay | undefined {
    const { state, manifest, current, deps } = this.collection
    if (state.dirty || this.isBlocked() || this.underWay !== undefined) return undefined
    if (!this.isDue(state, manifest)) return undefined
    const foldId = deps.newId()
    const task: FoldTask = {
      collectionId: deps.collectionId,
      version: { key: current.manifest, sha256: current.sha256 },
      foldId,
      nowMs: deps.clock.nowMs(),
      ...(deps.packBytes !== undefined && { packBytes: deps.packBytes })
    }
    const held = new Set([foldId, current.manifest, ...manifestFiles(manifest)])
    const snapshots = new Map(
      Object.entries(manifest.snapshots).map(([name, { revision }]) => [name, revision])
    )
    const abort = new AbortController()
    this.underWay = { task, held, snapshots, beganAtMs: task.nowMs, abort }
    return this.underWay
  }

  private isDue({ history, batches }: WriterState, { appliedSlot }: Manifest): boolean {
    const { deps } = this.collection
    const shape = { ...foldShape, ...deps.foldShape }
    if (history === null) return false
    const slots = appliedSlot - (history.base?.appliedSlot ?? 0)
    if (slots === 0 && batches.size === 0) return false
    if (batches.size >= shape.batches || slots >= shape.slots) return true
    const bytes = [...batches].reduce((sum, [, batch]) => sum + batch.bytes, 0)
    const beforeMs = history.base?.createdAtMs ?? this.collection.manifest.spec.createdAtMs
    return bytes >= shape.batchBytes || deps.clock.nowMs() - beforeMs >= shape.afterMs
  }

  private async adopt(begun: UnderWay, base: BaseRef): Promise<boolean> {
    const { collection } = this
    const { state } = collection
    if (this.underWay !== begun || this.isBlocked() || state.history === null) return false
    state.history.base = base
    for (const [key, { first }] of [...state.batches])
      if (first <= base.lastArrival) state.batches.delete(key)
    state.dirty = true
    await collection.commit()
    return true
  }

  /** A restored snapshot has items of a program before 0.4. A rebuild gives them numbers. */
  private async forgetNumbers(): Promise<boolean> {
    const { collection } = this
    const { state, deps } = collection
    deps.logger.warn('items of a program before 0.4 were restored: the history is not folded')
    forgetNumbers(state)
    state.dirty = true
    await collection.commit()
    return false
  }
}
