// State of a collection in its writer: the committed version, the changes applied since, and the
// commit that makes them one version. Changes run one at a time.
import { createMutex } from '@likeness/shared/data/mutex'
import { appError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { withoutLeftovers } from '../segment/without-leftovers.ts'
import {
  adoptWrittenSegments,
  prepareCommit,
  type PreparedCommit
} from '../apply/prepare-commit.ts'
import type { WriterState } from '../apply/writer-state.ts'
import { isOpen, type OpenIngestion } from '../log/open-ingestion.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { VersionedCurrent } from '../version/current.ts'
import { readFenced } from '../version/fenced-read.ts'
import { writeJobResult } from '../version/job-result.ts'
import type { Manifest } from '../version/manifest.ts'
import type { BoundWriterDeps } from './writer-deps.ts'

export interface OpenedCollection {
  versionedCurrent: VersionedCurrent
  manifest: Manifest
  state: WriterState
}

export class CollectionState {
  readonly deps: BoundWriterDeps
  /** Committed state plus all changes applied since the last commit. */
  state: WriterState
  private readonly mutex = createMutex()
  private versionedCurrent: VersionedCurrent
  private committed: Manifest
  private readonly onClosed: (ingestion: string) => void
  private isGivenUp = false

  /** `onClosed`: called after the result of a finished ingestion is written. */
  constructor(
    deps: BoundWriterDeps,
    { versionedCurrent, manifest, state }: OpenedCollection,
    onClosed: (ingestion: string) => void
  ) {
    this.deps = deps
    this.versionedCurrent = versionedCurrent
    this.committed = manifest
    this.state = state
    this.onClosed = onClosed
  }

  get manifest(): Manifest {
    return this.committed
  }

  get current(): VersionedCurrent['current'] {
    return this.versionedCurrent.current
  }

  /**
   * Whether a change has failed. The state may then be ahead of the store, and this writer rejects
   * all further changes.
   */
  get isLost(): boolean {
    return this.isGivenUp
  }

  /** Returns ingestions with work left, oldest first. */
  openIngestions(): { ingestion: string; open: OpenIngestion }[] {
    return [...this.state.ingestions]
      .filter(([, open]) => isOpen(open))
      .map(([ingestion, open]) => ({ ingestion, open }))
  }

  /**
   * Runs one change after the other. After any failure the state may be ahead of the store, so
   * every later call rejects with ownership_lost.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.mutex.run(async () => {
      if (this.isGivenUp)
        throw appError('ownership_lost', `writer of ${this.deps.collectionId} was given up`)
      try {
        return await work()
      } catch (error) {
        this.isGivenUp = true
        throw error
      }
    })
  }

  /**
   * Reads for this writer. Rejects with ownership_lost when a file is missing because another
   * writer has replaced the version.
   */
  fenced<T>(read: () => Promise<T>): Promise<T> {
    return readFenced(this.deps.context, this.current.epoch, read)
  }

  /** Returns the segment files with fenced reads. */
  fencedFiles(): SegmentFiles {
    const { files } = this.deps
    return { ...files, get: (ref) => this.fenced(() => files.get(ref)) }
  }

  /**
   * Commits all applied changes as one version. Default quantizer: that of a restored version,
   * otherwise the committed one.
   */
  async commit(
    quantizer = this.state.quantizer === undefined ? this.committed.quantizer : this.state.quantizer
  ): Promise<void> {
    const { deps, state } = this
    const { keys, newId, clock, protocol, context, signal } = deps
    const { epoch } = this.current
    const input = {
      keys,
      newId,
      nowMs: clock.nowMs(),
      parent: this.committed,
      epoch,
      quantizer
    }
    const prepare = () =>
      withoutLeftovers(deps, (files) => prepareCommit({ ...input, files }, state))
    const prepared = await retryStore(clock, prepare, signal)
    const { seq, appliedSlot, counts } = prepared.manifest
    const announce = () => deps.announce({ collectionId: deps.collectionId, seq, appliedSlot })
    const moved = await protocol.commit(context, this.versionedCurrent, prepared, announce)
    this.versionedCurrent = moved
    this.adopt(prepared)
    const added = prepared.added?.ref.rows ?? 0
    deps.logger.debug({ seq, items: counts.items, added }, 'committed')
    await this.closeFinished()
  }

  /** Updates the in-memory state to the manifest just committed. */
  private adopt({ manifest, added, ingestions }: PreparedCommit): void {
    const { state } = this
    this.committed = manifest
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
      this.onClosed(id)
    }
  }

  /**
   * Deletes objects after CURRENT is moved, so that earlier writers can no longer commit them.
   * Returns their number.
   */
  async deleteFenced(garbage: string[]): Promise<number> {
    const { store, clock, protocol, context, signal } = this.deps
    if (garbage.length === 0) return 0
    this.versionedCurrent = await protocol.fenceCollection(context, this.versionedCurrent)
    await retryStore(clock, () => store.delete(garbage), signal)
    return garbage.length
  }
}
