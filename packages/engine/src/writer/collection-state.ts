// State of a collection in its writer: the committed version, the changes applied since, and the
// commit that makes them one version. Changes run one at a time.
import { encodeLines } from '@likeness/shared/contract/checked-object'
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
import { decodePage, type IngestionRecord, revisionKey } from '../state/job-record.ts'
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

  /** How an ingestion has ended. Throws data_corrupt, or object_not_found. */
  async findEnded(revision: number): Promise<IngestionRecord | undefined> {
    const { ended, pages } = this.state
    const known = ended.get(revisionKey(revision))
    if (known !== undefined) return known
    for (const [, { first, last, file }] of pages) {
      if (revision < first || revision > last) continue
      const body = await this.fenced(() => this.deps.files.get(file))
      const found = decodePage(file.key, body).find((record) => record.revision === revision)
      if (found !== undefined) return found
    }
    return undefined
  }

  /**
   * Closes every completed ingestion. How they ended is written once more beside the manifest, which
   * may be lost. Safe to repeat.
   */
  async closeFinished(): Promise<void> {
    const { ingestions, ended, history } = this.state
    const closed = ingestions.unwritten.map((id) => [id, ingestions.get(id)!.record] as const)
    if (closed.length === 0) return
    const records = closed.map(([, record]) => record)
    await (history === null ? this.writeResults(records) : this.writeEnded(records))
    for (const [id, record] of closed) {
      ended.load(revisionKey(record.revision), record)
      ingestions.drop(id)
      this.onClosed(id)
    }
  }

  /** Not packed as pages are: nothing names its sha256, so each of its bytes has to be checked. */
  private async writeEnded(records: readonly IngestionRecord[]): Promise<void> {
    const { store, clock, keys, signal } = this.deps
    const key = keys.endedJobs(this.committed.seq, this.committed.commitId)
    await retryStore(clock, () => store.put(key, encodeLines(records)), signal)
  }

  /** Where nothing is folded, a result of its own says which ingestion was accepted. */
  private async writeResults(records: readonly IngestionRecord[]): Promise<void> {
    const { store, clock, keys, signal } = this.deps
    const write = (record: IngestionRecord) =>
      retryStore(clock, () => writeJobResult(store, keys, record), signal)
    for await (const _ of mapInOrder(records, resultsAtOnce, write));
  }

  /**
   * Deletes objects after CURRENT is moved, so that earlier writers can no longer commit them.
   * Returns their number.
   */
  async deleteFenced(garbage: string[]): Promise<number> {
    if (garbage.length === 0) return 0
    await this.fence()
    await this.deleteObjects(garbage)
    return garbage.length
  }

  /** Moves CURRENT. Rejects with ownership_lost. */
  async fence(): Promise<void> {
    const { protocol, context } = this.deps
    this.versionedCurrent = await protocol.fenceCollection(context, this.versionedCurrent)
  }

  async deleteObjects(keys: string[]): Promise<void> {
    const { store, clock, signal } = this.deps
    await retryStore(clock, () => store.delete(keys), signal)
  }
}
