// State of a collection in its writer: the committed version, the changes applied since, and the
// commit that makes them one version. Changes run one at a time.
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { createMutex } from '@likeness/shared/data/mutex'
import { appError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { withoutLeftovers } from '../segment/without-leftovers.ts'
import {
  adoptWrittenSegments,
  prepareCommit,
  type PreparedCommit
} from '../apply/prepare-commit.ts'
import { adoptPages, trackedMaps } from '../apply/state-changes.ts'
import type { WriterState } from '../apply/writer-state.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import { revisionKey } from '../state/job-record.ts'
import { stateShape } from '../state/write-state.ts'
import type { VersionedCurrent } from '../version/current.ts'
import { readFenced } from '../version/fenced-read.ts'
import { writeJobResult } from '../jobs/job-result.ts'
import type { Manifest } from '../version/manifest.ts'
import type { BoundWriterDeps } from './writer-deps.ts'

/** Each write waits for a disk or a server. Parallel writes wait at the same time. */
const resultsAtOnce = 32

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
      quantizer,
      shape: { ...stateShape, ...deps.stateShape },
      jobsEndedBeforeMs: clock.nowMs() - (deps.jobRetentionMs ?? Infinity)
    }
    const prepare = () =>
      withoutLeftovers({ ...deps, files: this.fencedFiles() }, (files) =>
        prepareCommit({ ...input, files }, state)
      )
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
  private adopt({ manifest, added, ingestions, pages }: PreparedCommit): void {
    const { state } = this
    this.committed = manifest
    adoptWrittenSegments(state, { segments: manifest.segments, added })
    state.results = [...manifest.outcomes]
    state.quantizer = undefined
    state.dirty = false
    state.ingestions.adopt(ingestions)
    adoptPages(state, pages)
    for (const map of trackedMaps(state)) map.settle()
  }

  /** Writes the result of every completed ingestion. Safe to repeat. */
  async closeFinished(): Promise<void> {
    const { store, clock, keys, signal } = this.deps
    const { ingestions, ended } = this.state
    const write = async (id: string): Promise<string> => {
      const { record } = ingestions.get(id)!
      await retryStore(clock, () => writeJobResult(store, keys, id, record), signal)
      return id
    }
    for await (const id of mapInOrder(ingestions.unwritten, resultsAtOnce, write)) {
      const { record } = ingestions.get(id)!
      ended.load(revisionKey(record.revision), record)
      ingestions.drop(id)
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
