// The writer of one collection: reads its log and batches, groups them into commits, merges segments, collects garbage.
// Its whole state is rebuilt from the store, so a writer that was replaced is simply thrown away.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { type LogSlot, revisionOf } from '@likeness/shared/contract/operation'
import { isAppError } from '@likeness/shared/errors'
import { applySlot, asksForRebuild, isBarrier, type SlotContext } from '../apply/apply-slot.ts'
import { BatchIntake } from '../apply/batch-intake.ts'
import { openVersion, type OpenVersion } from '../apply/restore.ts'
import { Garbage } from '../garbage/garbage.ts'
import type { OpenIngestion } from '../log/open-ingestion.ts'
import { assertNoGap, readSlots } from '../log/read-log.ts'
import type { MergeTier } from '../merge/merge-plan.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import { mustReadManifest } from '../version/manifest.ts'
import { CollectionState, type OpenedCollection } from './collection-state.ts'
import { Merging } from './merging.ts'
import { makeAgain, replayed } from './rebuilding.ts'
import { Reprojecting } from './reprojecting.ts'
import type { BoundWriterDeps } from './writer-deps.ts'

export interface StepResult {
  committed: boolean
  /** There is more to do at once. */
  more: boolean
}

const slotsPerStep = 256
/** Bounds the memory of a commit: batches hold up to 256 items each. */
const batchesPerStep = 16

export class CollectionWriter {
  private readonly deps: BoundWriterDeps
  private readonly collection: CollectionState
  private readonly intake: BatchIntake
  private readonly merging: Merging
  private readonly reprojecting: Reprojecting
  private readonly garbage: Garbage
  /** Requests for a rebuild up to this slot were met when it was opened. */
  private madeForSlot = 0

  constructor(deps: BoundWriterDeps, opened: OpenedCollection) {
    this.deps = deps
    this.intake = new BatchIntake(deps)
    this.collection = new CollectionState(deps, opened, (id) => this.intake.forget(id))
    this.merging = new Merging(this.collection)
    this.reprojecting = new Reprojecting(this.collection, () => this.merging.abandon())
    this.garbage = new Garbage(
      deps,
      () => new Set([...this.merging.heldIds(), ...this.reprojecting.heldIds()])
    )
  }

  get spec(): CollectionSpec {
    return this.collection.manifest.spec
  }

  get seq(): number {
    return this.collection.manifest.seq
  }

  get appliedSlot(): number {
    return this.collection.manifest.appliedSlot
  }

  /** Ingestions with work left, oldest first. */
  openIngestions(): { ingestion: string; open: OpenIngestion }[] {
    return this.collection.openIngestions()
  }

  /** Applies what the log, given batches and `batches` (or, with `list`, every batch of open ingestions) bring, in one commit. data_corrupt when the log is damaged: nothing after that is applied. */
  step({
    batches = [],
    list = false
  }: {
    batches?: readonly string[]
    list?: boolean
  }): Promise<StepResult & { rest: string[] }> {
    const { collection, intake } = this
    return collection.exclusively(async () => {
      const { seq } = this
      const slots = await readSlots(this.deps, collection.state.appliedSlot, slotsPerStep)
      for (const slot of slots) await this.takeSlot(slot)
      const { state } = collection
      if (list) await collection.fenced(() => assertNoGap(this.deps, state.appliedSlot))
      const wanted = await intake.outstanding(state, { notified: batches, list })
      for (const key of wanted.slice(0, batchesPerStep))
        if (await intake.take(state, key)) this.reprojecting.follow(key)
      await intake.endSupplied(state)
      const rest = wanted.slice(batchesPerStep)
      if (state.dirty) await collection.commit()
      const more = slots.length === slotsPerStep || rest.length > 0
      return { committed: this.seq > seq, more, rest }
    })
  }

  private async takeSlot(slot: LogSlot): Promise<void> {
    const { collection } = this
    if (isBarrier(slot) && collection.state.dirty) await collection.commit()
    const { state } = collection
    const { segments } = state
    await applySlot(state, state.appliedSlot + 1, slot, this.slotContext())
    // Restored: a segment that a merge has read may be another now, under the same id.
    if (state.segments !== segments) this.merging.abandon()
    if (asksForRebuild(slot) && state.appliedSlot > this.madeForSlot)
      await this.rebuildAsAsked(slot)
  }

  /** What the log asks for and cannot be done has no effect: else nobody could ever go on after it. */
  private async rebuildAsAsked({ operations }: LogSlot): Promise<void> {
    const { collection } = this
    try {
      await makeAgain(collection)
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      this.deps.logger.error({ err: error }, 'not made again: log or batches are damaged')
      const { state } = collection
      const asked = operations.flatMap(({ kind }, index) =>
        kind === 'rebuild' ? [revisionOf(state.appliedSlot, index)] : []
      )
      state.results = state.results.map((result) =>
        asked.includes(result.revision) ? { ...result, error: 'data_corrupt' } : result
      )
    }
  }

  private slotContext(): SlotContext {
    const { collection } = this
    const { seq, manifest, sha256 } = collection.current
    const files = collection.fencedFiles()
    return {
      rules: this.deps.protocol,
      files,
      committed: () => ({ seq, manifest, sha256, ...collection.manifest.counts }),
      openVersion: async (snapshot, logged) =>
        (await this.openSnapshot(snapshot, files)) ?? {
          segments: (await replayed(collection, logged)).segments,
          quantizer: null
        }
    }
  }

  /** undefined when the snapshot is damaged, or was taken with another embedding: then it is made again from the log. */
  private async openSnapshot(
    { manifest, sha256 }: Parameters<SlotContext['openVersion']>[0],
    files: SegmentFiles
  ): Promise<OpenVersion | undefined> {
    const { collection } = this
    const { store, logger } = this.deps
    try {
      const held = await collection.fenced(() => mustReadManifest(store, manifest, sha256))
      const isAsNow = held.spec.embedding.version === collection.state.spec.embedding.version
      return isAsNow ? await openVersion(files, held) : undefined
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      const message = 'a snapshot is damaged, and made again from the log to restore it'
      logger.error({ err: error }, message)
      return undefined
    }
  }

  /** Makes the same version again, from log and batches alone, as a new one. What was there before is only garbage then. Requests up to `untilSlot` asked for no more. */
  rebuild({ untilSlot }: { untilSlot: number } = { untilSlot: 0 }): Promise<void> {
    return this.collection.exclusively(async () => {
      await makeAgain(this.collection)
      this.madeForSlot = untilSlot
    })
  }

  /** Writes the result of every completed ingestion; the next commit removes them. Safe to repeat. */
  closeFinished(): Promise<void> {
    return this.collection.closeFinished()
  }

  /**
   * Merges segments when that is due, of one tier or of any. False when nothing was, or the result could not be used. Building does not hold
   * up commits. Rejects with ownership_lost, or with whatever went wrong while it was built: then this writer goes on, and the merge may be tried again.
   */
  merge(tier?: MergeTier): Promise<boolean> {
    return this.merging.merge(tier)
  }

  /**
   * Gives the collection the embedding that was asked for: built beside it while it goes on, then committed as one version. False when there is nothing to do.
   * Rejects with ownership_lost, or with what made it fail for now: then it may be tried again.
   */
  reproject(): Promise<boolean> {
    return this.reprojecting.reproject()
  }

  /** Deletes files that no retained manifest names; how many. None while a manifest that is needed is damaged. */
  collect(): Promise<number> {
    const { collection, garbage } = this
    return collection.exclusively(
      async () => await collection.deleteFenced(await garbage.files(collection.current))
    )
  }

  /** Deletes what requests have stored that were never accepted; how many objects. */
  async collectUploads(): Promise<number> {
    const { collection, garbage } = this
    const isRegistered = (ingestion: string): boolean => collection.state.ingestions.has(ingestion)
    if (!(await garbage.hasUploads(isRegistered))) return 0
    return await collection.exclusively(async () => {
      const found = await garbage.uploads(collection.state)
      if (found === undefined) return 0
      const deleted = await collection.deleteFenced(found)
      garbage.clearUploads()
      return deleted
    })
  }
}
