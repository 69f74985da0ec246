// The writer of one collection: reads its log and batches, groups them into commits, merges
// segments, collects garbage. All of its state can be loaded from the store again. So a writer that
// was replaced is simply thrown away.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { type LogSlot, revisionOf } from '@likeness/shared/contract/operation'
import { createMutex } from '@likeness/shared/data/mutex'
import { appError, isAppError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { applySlot, asksForRebuild, isBarrier, type SlotContext } from '../apply/apply-slot.ts'
import { BatchIntake } from '../apply/batch-intake.ts'
import {
  prepareCommit,
  type PreparedCommit,
  adoptWrittenSegments
} from '../apply/prepare-commit.ts'
import { openVersion } from '../apply/restore.ts'
import type { WriterState } from '../apply/writer-state.ts'
import { Garbage } from '../garbage/garbage.ts'
import { isOpen, type OpenIngestion } from '../log/open-ingestion.ts'
import { assertNoGap, readSlots } from '../log/read-log.ts'
import { buildMerge } from '../merge/merge-build.ts'
import type { MergeTier } from '../merge/merge-plan.ts'
import { adoptMerge, MergesUnderWay, presentInputs, type Proposal } from '../merge/merge.ts'
import { replay } from '../rebuild/replay.ts'
import { openSegment, type OpenSegment } from '../segment/open-segment.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { VersionedCurrent } from '../version/current.ts'
import { readFenced } from '../version/fenced-read.ts'
import { writeJobResult } from '../version/job-result.ts'
import { type Manifest, mustReadManifest } from '../version/manifest.ts'
import {
  isRefusal,
  mustBeSuperseded,
  type Refusal,
  Reindex,
  type ReindexRequest,
  Superseded
} from './reindex.ts'
import { type BoundWriterDeps, mergingDeps } from './writer-deps.ts'

export interface StepResult {
  committed: boolean
  /** Whether there is more to do at once. */
  more: boolean
}

const slotsPerStep = 256
/** Limits the memory of a commit: batches hold up to 256 items each. */
const batchesPerStep = 16

export class CollectionWriter {
  private readonly deps: BoundWriterDeps
  private readonly mutex = createMutex()
  private versionedCurrent: VersionedCurrent
  private manifest: Manifest
  private state: WriterState
  private readonly intake: BatchIntake
  private readonly merges: MergesUnderWay
  private readonly garbage: Garbage
  private reindex: Reindex | undefined
  private lost = false
  /** Requests for a rebuild up to this slot were done when the writer was opened. */
  private madeForSlot = 0

  constructor(
    deps: BoundWriterDeps,
    opened: { versionedCurrent: VersionedCurrent; manifest: Manifest; state: WriterState }
  ) {
    this.deps = deps
    this.intake = new BatchIntake(deps)
    this.versionedCurrent = opened.versionedCurrent
    this.manifest = opened.manifest
    this.state = opened.state
    this.merges = new MergesUnderWay({ ...mergingDeps(deps), newId: deps.newId })
    this.garbage = new Garbage(
      deps,
      () => new Set([...this.merges.heldIds(), ...(this.reindex?.heldIds() ?? [])])
    )
  }

  get spec(): CollectionSpec {
    return this.manifest.spec
  }

  get seq(): number {
    return this.manifest.seq
  }

  get appliedSlot(): number {
    return this.manifest.appliedSlot
  }

  /** Returns ingestions with work left, oldest first. */
  openIngestions(): { ingestion: string; open: OpenIngestion }[] {
    return [...this.state.ingestions]
      .filter(([, open]) => isOpen(open))
      .map(([ingestion, open]) => ({ ingestion, open }))
  }

  /**
   * Applies the next log slots, supplied batches and `batches` (or, with `list`, every batch of
   * open ingestions) in one commit. Throws data_corrupt when the log is damaged; later slots are
   * then not applied.
   */
  step({
    batches = [],
    list = false
  }: {
    batches?: readonly string[]
    list?: boolean
  }): Promise<StepResult & { rest: string[] }> {
    return this.exclusively(async () => {
      const { seq } = this
      const slots = await readSlots(this.deps, this.state.appliedSlot, slotsPerStep)
      for (const slot of slots) await this.takeSlot(slot)
      if (list)
        await readFenced(this.deps.context, this.versionedCurrent.current.epoch, () =>
          assertNoGap(this.deps, this.state.appliedSlot)
        )
      const { state, intake } = this
      const wanted = await intake.outstanding(state, { notified: batches, list })
      for (const key of wanted.slice(0, batchesPerStep))
        if (await intake.take(state, key)) this.reindex?.follow(key)
      await intake.endSupplied(state)
      const rest = wanted.slice(batchesPerStep)
      if (state.dirty) await this.commit()
      return {
        committed: this.seq > seq,
        more: slots.length === slotsPerStep || rest.length > 0,
        rest
      }
    })
  }

  private async takeSlot(slot: LogSlot): Promise<void> {
    if (isBarrier(slot) && this.state.dirty) await this.commit()
    const { segments } = this.state
    await applySlot(this.state, this.state.appliedSlot + 1, slot, this.slotContext())
    // After a restore, a segment that a merge has read may be different under the same id.
    if (this.state.segments !== segments) this.merges.abandon()
    if (asksForRebuild(slot) && this.state.appliedSlot > this.madeForSlot)
      await this.rebuildAsAsked(slot)
  }

  /**
   * Rebuilds on a request in the log. A request that cannot be done has no effect. Otherwise every
   * writer would stop at this slot.
   */
  private async rebuildAsAsked({ operations }: LogSlot): Promise<void> {
    try {
      await this.makeAgain()
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      this.deps.logger.error({ err: error }, 'not made again: log or batches are damaged')
      const asked = operations.flatMap(({ kind }, index) =>
        kind === 'rebuild' ? [revisionOf(this.state.appliedSlot, index)] : []
      )
      this.state.results = this.state.results.map((outcome) =>
        asked.includes(outcome.revision) ? { ...outcome, error: 'data_corrupt' } : outcome
      )
    }
  }

  private slotContext(): SlotContext {
    const { store, protocol, context } = this.deps
    const { epoch, seq, manifest, sha256 } = this.versionedCurrent.current
    const files = this.ownFiles()
    return {
      rules: protocol,
      files,
      committed: () => ({ seq, manifest, sha256, ...this.manifest.counts }),
      openVersion: async (snapshot, logged) => {
        try {
          const held = await readFenced(context, epoch, () =>
            mustReadManifest(store, snapshot.manifest, snapshot.sha256)
          )
          if (held.spec.embedding.version === this.state.spec.embedding.version)
            return await openVersion(files, held)
        } catch (error) {
          if (!isAppError(error, 'data_corrupt')) throw error
          this.deps.logger.error(
            { err: error },
            'a snapshot is damaged, and made again from the log to restore it'
          )
        }
        // The snapshot is damaged, or was taken with another embedding.
        return { segments: (await this.replay(logged)).segments, quantizer: null }
      }
    }
  }

  /**
   * Returns the files with fenced reads: a missing file mostly means that this process is no longer
   * the writer.
   */
  private ownFiles(): SegmentFiles {
    const { files, context } = this.deps
    const { epoch } = this.versionedCurrent.current
    return { ...files, get: (ref) => readFenced(context, epoch, () => files.get(ref)) }
  }

  /**
   * Makes the same content again, from log and batches alone, as a new version. The old files then
   * become garbage. Requests for a rebuild up to `untilSlot` count as done.
   */
  rebuild({ untilSlot }: { untilSlot: number } = { untilSlot: 0 }): Promise<void> {
    return this.exclusively(async () => {
      await this.makeAgain()
      this.madeForSlot = untilSlot
    })
  }

  private replay(to: Parameters<typeof replay>[2]): Promise<WriterState> {
    const deps = { ...this.deps, files: this.ownFiles() }
    return readFenced(deps.context, this.versionedCurrent.current.epoch, () =>
      replay(deps, this.state.spec, to)
    )
  }

  private async makeAgain(): Promise<void> {
    const { ingestions, snapshots, results, reprojection, appliedSlot } = this.state
    const open = Object.fromEntries(
      this.openIngestions().map(({ ingestion, open: { done } }) => [ingestion, done.toString()])
    )
    const state = await this.replay({ appliedSlot, open })
    this.state = Object.assign(state, {
      ingestions,
      snapshots,
      results,
      reprojection
    } satisfies Partial<WriterState>)
    await this.commit(null)
  }

  private async commit(
    quantizer = this.state.quantizer === undefined ? this.manifest.quantizer : this.state.quantizer
  ): Promise<void> {
    const { deps, state } = this
    const { files, keys, newId, clock, protocol, context, signal } = deps
    const input = {
      files,
      keys,
      newId,
      nowMs: clock.nowMs(),
      parent: this.manifest,
      epoch: this.versionedCurrent.current.epoch,
      quantizer
    }
    const prepared = await retryStore(clock, () => prepareCommit(input, state), signal)
    const { manifest, manifestKey } = prepared
    const announce = () =>
      deps.announce({
        collectionId: deps.collectionId,
        seq: manifest.seq,
        appliedSlot: manifest.appliedSlot
      })
    this.versionedCurrent = await protocol.commit(
      context,
      this.versionedCurrent,
      manifest,
      manifestKey,
      announce
    )
    this.adoptCommit(prepared)
    deps.logger.debug(
      { seq: manifest.seq, items: manifest.counts.items, added: prepared.added?.ref.rows ?? 0 },
      'committed'
    )
    await this.closeFinished()
  }

  /** Updates the in-memory state to the manifest just committed. */
  private adoptCommit({ manifest, added, ingestions }: PreparedCommit): void {
    const { state } = this
    this.manifest = manifest
    adoptWrittenSegments(state, { segments: manifest.segments, added })
    state.tombstonesChanged = false
    state.pendingUpdatesChanged = false
    state.filterDeletesChanged = false
    state.results = [...manifest.outcomes]
    state.quantizer = undefined
    state.dirty = false
    for (const [id, open] of state.ingestions) {
      const record = ingestions[id]
      if (record === undefined) state.ingestions.delete(id)
      else Object.assign(open, { record, failed: [] } satisfies Partial<OpenIngestion>)
    }
  }

  /**
   * Writes the result of every completed ingestion. The next commit removes their records. Safe to
   * repeat.
   */
  async closeFinished(): Promise<void> {
    const { store, clock, keys, signal } = this.deps
    for (const [id, open] of this.state.ingestions) {
      if (isOpen(open) || open.closed) continue
      await retryStore(clock, () => writeJobResult(store, keys, id, open.record), signal)
      open.closed = true
      this.intake.forget(id)
    }
  }

  /**
   * Merges segments when a merge is due, in one merge tier or in any. Returns false when no merge
   * was due, or the result could not be used. Commits go on while the merge is built. Rejects with
   * ownership_lost, or with an error of the build. After a build error this writer goes on, and the
   * merge may be tried again.
   */
  async merge(tier?: MergeTier): Promise<boolean> {
    const proposal = await this.exclusively(async () =>
      this.merges.begin(this.state, this.manifest, tier === undefined ? undefined : [tier])
    )
    if (proposal === undefined) return await this.endCompaction()
    try {
      const built = await this.build(proposal)
      if (built === undefined) return false
      return await this.exclusively(async () => {
        if (
          !this.merges.isUnderWay(proposal) ||
          !adoptMerge(this.state, proposal, built.result, this.deps.protocol)
        )
          return false
        await this.commit(built.quantizer ?? this.manifest.quantizer)
        return true
      })
    } finally {
      this.merges.end(proposal)
    }
  }

  /** Ends a requested compaction when no merge is left. */
  private async endCompaction(): Promise<boolean> {
    const { compaction } = this.state
    if (compaction === null) return false
    return await this.exclusively(async () => {
      const { state } = this
      if (state.compaction !== compaction || !this.merges.isCompacted(state, this.manifest))
        return false
      state.results.push({ revision: compaction.revision })
      Object.assign(state, { compaction: null, dirty: true } satisfies Partial<WriterState>)
      await this.commit()
      return true
    })
  }

  /**
   * Returns undefined when the merge took too long, or an input disappeared: a commit emptied that
   * segment and its files were collected.
   */
  private async build(
    proposal: Proposal
  ): Promise<{ result: OpenSegment | null; quantizer: Manifest['quantizer'] } | undefined> {
    const { files, context, buildMerge: build = (task) => buildMerge(files, task) } = this.deps
    const { epoch } = this.versionedCurrent.current
    const isUsable = (): boolean =>
      this.merges.isUnderWay(proposal) &&
      presentInputs(this.state, proposal).every((input) => input !== undefined)
    try {
      const { segment, quantizer } = await readFenced(context, epoch, () =>
        build(proposal.newTask(), proposal.abort.signal)
      )
      return {
        result: segment && (await readFenced(context, epoch, () => openSegment(files, segment))),
        quantizer
      }
    } catch (error) {
      if (isUsable() || isAppError(error, 'ownership_lost')) throw error
      return undefined
    }
  }

  /**
   * Gives the collection the requested embedding. A reindex builds the new version while the
   * collection goes on; then a single commit publishes it. Returns false when there is no such
   * request. Rejects with ownership_lost, or with a temporary error; then the reindex may be tried
   * again.
   */
  async reproject(): Promise<boolean> {
    const reindex = await this.exclusively(async () => this.beginReindex())
    if (reindex === undefined) return false
    const asOwner = <T>(work: () => Promise<T>): Promise<T> =>
      readFenced(this.deps.context, this.versionedCurrent.current.epoch, work)
    try {
      await asOwner(() => reindex.build())
      do await asOwner(() => reindex.catchUp(this.appliedSlot))
      while (await asOwner(() => reindex.merge()))
      await this.exclusively(() => this.adoptReindex(reindex))
    } catch (error) {
      if (!isRefusal(error)) return mustBeSuperseded(error)
      await this.exclusively(() => this.refuseReindex(reindex, error))
    } finally {
      this.reindex = undefined
    }
    return true
  }

  private beginReindex(): Reindex | undefined {
    const {
      deps,
      state: { reprojection }
    } = this
    if (reprojection?.state !== 'running') return undefined
    const { files, buildMerge: build = (task) => buildMerge(files, task) } = deps
    const isWanted = (): boolean =>
      !this.lost && deps.signal?.aborted !== true && this.isAskedFor(reprojection)
    this.reindex = new Reindex(
      { ...deps, files: this.ownFiles(), buildMerge: build, merging: mergingDeps(deps), isWanted },
      this.state,
      reprojection
    )
    return this.reindex
  }

  private isAskedFor({ revision }: ReindexRequest): boolean {
    return this.state.reprojection?.revision === revision
  }

  private async adoptReindex(reindex: Reindex): Promise<void> {
    const {
      request: { revision, embedding }
    } = reindex
    if (!this.isAskedFor(reindex.request)) return
    try {
      this.state = await readFenced(this.deps.context, this.versionedCurrent.current.epoch, () =>
        reindex.finish(this.state)
      )
    } catch (error) {
      if (isRefusal(error)) return await this.refuseReindex(reindex, error)
      if (error instanceof Superseded) return
      throw error
    }
    this.merges.abandon()
    this.state.reprojection = { revision, embedding, state: 'applied' }
    this.state.results.push({ revision })
    await this.commit(reindex.quantizer)
  }

  private async refuseReindex(
    { request: { revision, embedding } }: Reindex,
    error: Refusal
  ): Promise<void> {
    if (!this.isAskedFor({ revision, embedding })) return
    this.deps.logger.error(
      { err: error, embedding: embedding.version },
      'the collection keeps its embedding'
    )
    this.state.reprojection = { revision, embedding, state: error.code }
    this.state.results.push({ revision, error: error.code })
    this.state.dirty = true
    await this.commit()
  }

  /**
   * Deletes files that no retained manifest names. Returns their number: 0 while a needed manifest
   * is damaged.
   */
  collect(): Promise<number> {
    return this.exclusively(
      async () => await this.deleteFenced(await this.garbage.files(this.versionedCurrent.current))
    )
  }

  /** Deletes stored uploads of requests that were never accepted. Returns the number of objects. */
  async collectUploads(): Promise<number> {
    const { garbage } = this
    if (!(await garbage.hasUploads((ingestion) => this.state.ingestions.has(ingestion)))) return 0
    return await this.exclusively(async () => {
      const found = await garbage.uploads(this.state)
      if (found === undefined) return 0
      const deleted = await this.deleteFenced(found)
      garbage.clearUploads()
      return deleted
    })
  }

  private async deleteFenced(garbage: string[]): Promise<number> {
    const { store, clock, protocol, context, signal } = this.deps
    if (garbage.length === 0) return 0
    this.versionedCurrent = await protocol.fenceCollection(context, this.versionedCurrent)
    await retryStore(clock, () => store.delete(garbage), signal)
    return garbage.length
  }

  /**
   * Runs one task at a time. After any failure the state may be ahead of the store, so this writer
   * cannot be used any more.
   */
  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.mutex.run(async () => {
      if (this.lost)
        throw appError('ownership_lost', `writer of ${this.deps.collectionId} was given up`)
      try {
        return await work()
      } catch (error) {
        this.lost = true
        throw error
      }
    })
  }
}
