// The writer of one collection: reads its log and batches, groups them into commits, merges
// segments, collects garbage. All of its state can be loaded from the store again. So a writer that
// was replaced is simply thrown away.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import type { LogSlot } from '@likeness/shared/contract/operation'
import { isAppError } from '@likeness/shared/errors'
import { forgetNumbers } from '../apply/writer-state.ts'
import { applySlot, isBarrier, type SlotContext } from '../apply/apply-slot.ts'
import { BatchIntake } from '../apply/batch-intake.ts'
import { openVersion, type OpenVersion } from '../apply/restore.ts'
import { pageKeys } from '../apply/state-changes.ts'
import { type StepBounds, stepBounds } from '../apply/step-bounds.ts'
import type { NamedIngestion } from '../log/open-ingestion.ts'
import { SmallLines } from '../log/small-lines.ts'
import { assertNoGap, readSlots } from '../log/read-log.ts'
import type { MergeTier } from '../merge/merge-plan.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import { mustReadManifest } from '../version/manifest.ts'
import { Calibrating } from './calibrating.ts'
import { Collecting } from './collecting.ts'
import { CollectionState, type OpenedCollection } from './collection-state.ts'
import { Folding } from './folding.ts'
import { Merging } from './merging.ts'
import { endRebuilds } from './pending-rebuilds.ts'
import { makeAgain, replayed } from './rebuilding.ts'
import { Reindexing } from './reindexing.ts'
import type { BoundWriterDeps } from './writer-deps.ts'

export interface StepResult {
  committed: boolean
  /** Whether there is more to do at once: the step has reached one of its bounds. */
  more: boolean
}

export class CollectionWriter {
  private readonly deps: BoundWriterDeps
  private readonly collection: CollectionState
  private readonly intake: BatchIntake
  private readonly bounds: StepBounds
  private readonly merging: Merging
  private readonly reindexing: Reindexing
  private readonly folding: Folding
  private readonly calibrating: Calibrating
  private readonly collecting: Collecting
  private readonly lines: SmallLines
  /** Whether batches may be there of ingestions in slots that are not applied yet. */
  private mustList = false
  /** Requests for a rebuild up to this slot were done when the writer was opened. */
  private madeForSlot = 0

  constructor(deps: BoundWriterDeps, opened: OpenedCollection) {
    this.deps = deps
    this.intake = new BatchIntake(deps)
    this.lines = new SmallLines(deps)
    this.bounds = { ...stepBounds, ...deps.stepBounds }
    this.collection = new CollectionState(deps, opened, (id) => this.intake.forget(id))
    this.merging = new Merging(this.collection)
    this.reindexing = new Reindexing(this.collection, () => this.merging.abandon())
    this.folding = new Folding(this.collection, () => this.reindexing.isUnderWay)
    this.calibrating = new Calibrating(this.collection, () => this.reindexing.isUnderWay)
    const beside = [this.merging, this.reindexing, this.folding, this.calibrating]
    this.collecting = new Collecting(this.collection, deps, () => {
      const held = beside.flatMap((one) => [...one.heldIds()])
      return new Set([...held, ...pageKeys(this.collection.state)])
    })
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

  /** Items of the committed version. */
  get items(): number {
    return this.collection.manifest.counts.items
  }

  /** Whether a change of the embedding or a rebuild is under way. Another writer begins it anew. */
  get isRemaking(): boolean {
    return this.reindexing.isUnderWay
  }

  /** Whether an ingestion has work left. */
  get hasOpen(): boolean {
    return this.collection.state.ingestions.oldest !== Infinity
  }

  /**
   * Yields the ingestions with work left whose revision is higher than `revision`, oldest first.
   * They are those of this writer, and change with each step.
   */
  openAfter(revision: number): Iterable<NamedIngestion> {
    return this.collection.state.ingestions.openAfter(revision)
  }

  /** Returns item lines of small ingestions by revision. Those that are damaged are left out. */
  readLines(revisions: readonly number[]): Promise<Map<number, ItemListLine[]>> {
    return this.lines.read(revisions, this.collection.manifest.history?.base ?? null)
  }

  /** Whether batches of the ingestion were found, and wait to be taken in. */
  isTaking(ingestion: string): boolean {
    return this.intake.isTaking(ingestion)
  }

  /** Whether batches wait to be taken in that may hold items of any small ingestion. */
  get hasUnread(): boolean {
    return this.intake.hasUnread
  }

  /**
   * Applies the next log slots, supplied batches and `batches` (with `list`, every batch of open
   * ingestions) in one commit, up to the bounds of a step. The next step goes on with the rest.
   * Throws data_corrupt when the log is damaged; later slots are then not applied.
   */
  step({
    batches = [],
    list = false
  }: {
    batches?: readonly string[]
    list?: boolean
  }): Promise<StepResult> {
    const { collection, intake } = this
    return collection.exclusively(async () => {
      const { seq } = this
      const isBehind = await this.takeSlots()
      const { state } = collection
      if (list) {
        await collection.fenced(() => assertNoGap(this.deps, state.appliedSlot))
        intake.list()
      }
      // Batches of ingestions in later slots are listed when all slots are applied.
      if (this.mustList && !isBehind) this.mustList = !intake.list()
      const { isEarly } = await intake.find(state, {
        notified: batches,
        listMs: this.bounds.listMs
      })
      this.mustList ||= isBehind && (list || isEarly)
      for await (const batch of intake.take(state, this.bounds)) this.reindexing.follow(batch)
      await intake.endSupplied(state)
      if (state.dirty) await collection.commit()
      return { committed: this.seq > seq, more: isBehind || intake.hasMore }
    })
  }

  /** Applies the next log slots. Returns whether a bound has ended it. */
  private async takeSlots(): Promise<boolean> {
    const { collection, deps, bounds } = this
    const untilMs = deps.clock.nowMs() + bounds.slotMs
    let sizeBytes = 0
    for await (const slot of readSlots(deps, collection.state.appliedSlot)) {
      await this.takeSlot(slot.log)
      sizeBytes += slot.sizeBytes
      if (sizeBytes >= bounds.slotBytes || deps.clock.nowMs() >= untilMs) return true
    }
    return false
  }

  private async takeSlot(slot: LogSlot): Promise<void> {
    const { collection } = this
    if (isBarrier(slot) && collection.state.dirty) await collection.commit()
    const { state } = collection
    const { segments } = state
    await applySlot(state, state.appliedSlot + 1, slot, this.slotContext())
    // After a restore, a segment that a merge has read may be different under the same id.
    if (state.segments !== segments) this.merging.abandon()
    if (state.appliedSlot <= this.madeForSlot) endRebuilds(state)
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
        (await this.openSnapshot(snapshot, files)) ?? (await this.makeSnapshot(logged))
    }
  }

  private async makeSnapshot(logged: Parameters<typeof replayed>[1]): Promise<OpenVersion> {
    const { collection } = this
    const findEnded = (revision: number) => collection.findEnded(revision)
    const { state, origin } = await replayed(collection, { ...logged, findEnded })
    if (origin.isRenumbered) forgetNumbers(collection.state)
    return { segments: state.segments, quantizer: null }
  }

  /**
   * Returns undefined when the snapshot is damaged, or was taken with another embedding, or its
   * arrivals have other numbers. Then the caller makes the version again from the log.
   */
  private async openSnapshot(
    { manifest, sha256 }: Parameters<SlotContext['openVersion']>[0],
    files: SegmentFiles
  ): Promise<OpenVersion | undefined> {
    const { collection } = this
    const { store, logger } = this.deps
    try {
      const held = await collection.fenced(() => mustReadManifest(store, manifest, sha256))
      const { spec, history } = collection.state
      const isAsNow =
        held.spec.embedding.version === spec.embedding.version &&
        held.history?.numbering === history?.numbering
      return isAsNow ? await openVersion(files, held) : undefined
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      const message = 'a snapshot is damaged, and made again from the log to restore it'
      logger.error({ err: error }, message)
      return undefined
    }
  }

  /**
   * Makes the same content again, from log and batches alone, as a new version. The old files then
   * become garbage. Requests for a rebuild up to `untilSlot` count as done.
   */
  rebuild({ untilSlot }: { untilSlot: number } = { untilSlot: 0 }): Promise<void> {
    return this.collection.exclusively(async () => {
      await makeAgain(this.collection)
      this.madeForSlot = untilSlot
    })
  }

  /** Writes the result of every completed ingestion. Safe to repeat. */
  closeFinished(): Promise<void> {
    return this.collection.closeFinished()
  }

  /**
   * Merges segments when a merge is due, in one merge tier or in any. Returns false when no merge
   * was due, or the result could not be used. Commits go on while the merge is built. Rejects with
   * ownership_lost, or with an error of the build. After a build error this writer goes on, and the
   * merge may be tried again.
   */
  merge(tier?: MergeTier): Promise<boolean> {
    return this.merging.merge(tier)
  }

  /**
   * Gives the collection the requested embedding, or makes it again as was asked. A reindex builds
   * the new version while the collection goes on; then a single commit publishes it. Returns false
   * when there is no such request. Rejects with ownership_lost, or with a temporary error; then the
   * reindex may be tried again.
   */
  reindex(): Promise<boolean> {
    return this.reindexing.reindex()
  }

  /**
   * Folds the committed version into packs and a base when that is due. Returns false when it was
   * not. Commits go on meanwhile. Rejects as `merge` does.
   */
  fold(): Promise<boolean> {
    return this.folding.fold()
  }

  /** Learns from the items how sure answers are, when that is due. Goes on and rejects as `fold`. */
  calibrate(): Promise<boolean> {
    return this.calibrating.calibrate()
  }

  /** Deletes files that no retained manifest names. Returns their number. */
  collect(): Promise<number> {
    return this.collecting.files()
  }

  /** Whether the next `collectUploads` has old uploads to look at, or to delete. */
  get hasUploadsLeft(): boolean {
    return this.collecting.hasUploadsLeft
  }

  /** Deletes stored uploads of requests that were never accepted. Returns the number of objects. */
  collectUploads(): Promise<number> {
    return this.collecting.uploads()
  }

  /**
   * Deletes some of the slots, batches and lists that two bases stand for. Returns false when there
   * were none. Rejects as `merge` does.
   */
  collectFolded(): Promise<boolean> {
    return this.collecting.folded()
  }
}
