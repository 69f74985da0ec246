// Serves one collection on a replica: follows CURRENT, loads only new files, and swaps one
// collection reader.
import { readFile } from 'node:fs/promises'
import type { Calibration } from '@likeness/shared/confidence/calibration'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { appError, isAppError, messageOf } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { FileCache } from '../files/file-cache.ts'
import { decodePayloadUpdates } from '../item/payload-updates.ts'
import { OpenCollectionReader } from '../search/collection-reader.ts'
import { LoadedSegment } from '../search/loaded-segment.ts'
import { openView, type SegmentView } from '../search/segment-view.ts'
import { Bitmap } from '../version/bitmap.ts'
import { readCalibration } from '../version/read-calibration.ts'
import { isDropped, readCurrent } from '../version/current.ts'
import {
  type FileRef,
  type Manifest,
  type ManifestSegment,
  readManifest,
  searchedRefs
} from '../version/manifest.ts'

const sayEveryMs = 60_000

export interface CollectionReplicaDeps {
  store: ObjectStore
  clock: Clock
  logger: Logger
  cache: FileCache
  collectionId: string
}

export class CollectionReplica {
  private readonly deps: CollectionReplicaDeps
  private reader: OpenCollectionReader | undefined
  /** Request time of the newest CURRENT whose content is known. */
  checkedAtMs = -Infinity
  /** Time of the last read, or of the last notification of a commit. */
  activeAtMs: number
  /** Reason why the newest version could not be loaded. */
  alarm: string | null = null
  private behindSinceMs: number | undefined
  private saidAtMs = -Infinity
  private notifiedSeq = 0
  private running: Promise<void> | undefined
  private queued: Promise<void> | undefined
  private closed = false
  /** Collection readers that are not released, oldest first. */
  private readonly alive = new Set<OpenCollectionReader>()
  private givenBack: Promise<unknown> = Promise.resolve()
  /** The version of `reader`, also after closing: its files stay on the disk. */
  private served: Manifest | undefined
  /** The last version whose files were asked for. */
  private tried: Manifest | undefined

  constructor(deps: CollectionReplicaDeps) {
    this.deps = deps
    this.activeAtMs = deps.clock.nowMs()
  }

  get current(): OpenCollectionReader | undefined {
    return this.reader
  }

  /** Milliseconds since a commit became known that is not served yet. */
  get behindMs(): number {
    return this.behindSinceMs === undefined ? 0 : this.deps.clock.nowMs() - this.behindSinceMs
  }

  /** Whether a query has a reader of the collection, or the collection is being loaded. */
  get inUse(): boolean {
    return this.running !== undefined || this.alive.size > 1 || this.reader?.isIdle === false
  }

  hint(seq: number): void {
    this.activeAtMs = this.deps.clock.nowMs()
    this.notifiedSeq = Math.max(this.notifiedSeq, seq)
    if (seq > (this.reader?.seq ?? -1)) this.behindSinceMs ??= this.deps.clock.nowMs()
  }

  /**
   * Serves at least the version that CURRENT named after this call began. A running load may have
   * read CURRENT before, so another load follows.
   */
  refresh(): Promise<void> {
    if (this.closed) return Promise.resolve()
    if (this.running === undefined)
      return (this.running = this.load().finally(() => (this.running = undefined)))
    const next = () => {
      this.queued = undefined
      return this.refresh()
    }
    return (this.queued ??= this.running.then(next, next))
  }

  private async load(): Promise<void> {
    const { store, clock, collectionId, logger } = this.deps
    const askedAtMs = clock.nowMs()
    try {
      for (;;) {
        const found = await readCurrent(store, collectionKeys(collectionId).current)
        if (found === undefined || isDropped(found.current))
          throw appError('collection_not_found', 'the collection was dropped')
        if (found.current.commitId === this.reader?.manifest.commitId) break
        this.hint(found.current.seq)
        if (await this.advance(found.current.manifest, found.current.sha256)) break
      }
      this.checkedAtMs = askedAtMs
      this.alarm = null
      this.saidAtMs = -Infinity
      if ((this.reader?.seq ?? -1) >= this.notifiedSeq) this.behindSinceMs = undefined
    } catch (error) {
      if (!isAppError(error, 'collection_not_found')) {
        this.alarm = messageOf(error)
        if (clock.nowMs() - this.saidAtMs >= sayEveryMs) {
          this.saidAtMs = clock.nowMs()
          logger.error(
            { err: error, collectionId, seq: this.reader?.seq },
            'replica keeps its old version'
          )
        }
      }
      throw error
    }
  }

  /**
   * Returns false when the manifest or one of its files was collected meanwhile: CURRENT has moved
   * on.
   */
  private async advance(manifestKey: string, sha256: string): Promise<boolean> {
    const manifest = await readManifest(this.deps.store, manifestKey, sha256)
    if (manifest === undefined) return false
    await this.dropFormer(manifest)
    let views: SegmentView[]
    let calibration: Calibration | null
    try {
      calibration = await this.calibrationOf(manifest)
      views = await this.loadViews(manifest)
    } catch (error) {
      const now = isAppError(error, 'object_not_found')
        ? await readCurrent(this.deps.store, collectionKeys(this.deps.collectionId).current)
        : undefined
      if (now !== undefined && now.current.manifest !== manifestKey) return false
      throw error
    }
    const previous = this.reader
    this.reader = new OpenCollectionReader(manifest, views, calibration, (idle) => {
      this.alive.delete(idle)
      this.givenBack = Promise.all([this.givenBack, this.leave(idle)])
    })
    this.served = manifest
    this.alive.add(this.reader)
    previous?.release()
    return true
  }

  /**
   * Removes the files of a version that could not be loaded. Before the first version it also
   * removes what the process before this one left, but for the files of that version.
   */
  private async dropFormer(next: Manifest): Promise<void> {
    const { tried } = this
    this.tried = next
    if (this.served === undefined) await this.deps.cache.keepOnly(searchedRefs(next))
    else if (tried !== undefined) await this.dropUnused(tried)
  }

  private async leave({ manifest, views }: OpenCollectionReader): Promise<void> {
    await this.giveBack(views)
    await this.dropUnused(manifest).catch((error: unknown) =>
      this.deps.logger.error({ err: error, seq: manifest.seq }, 'removing old files failed')
    )
  }

  /** Removes the files of a version that no other version has which is read or being loaded. */
  private async dropUnused(former: Manifest): Promise<void> {
    const versions = [this.served, this.tried, ...[...this.alive].map(({ manifest }) => manifest)]
    const used = new Set(
      versions.flatMap((version) => (version ? searchedRefs(version) : [])).map(({ key }) => key)
    )
    await this.deps.cache.drop(searchedRefs(former).filter(({ key }) => !used.has(key)))
  }

  /** Without it answers are less sure, and searches go on. */
  private async calibrationOf({ calibration: ref }: Manifest): Promise<Calibration | null> {
    const { store, logger, collectionId } = this.deps
    if (ref === undefined) return null
    if (this.reader?.manifest.calibration?.key === ref.key) return this.reader.calibration
    try {
      return await readCalibration(store, ref)
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      logger.error({ err: error, collectionId }, 'the calibration is damaged, a prior is used')
      return null
    }
  }

  private async loadViews(manifest: Manifest): Promise<SegmentView[]> {
    // Includes older versions: a restore brings back segments that queries may still use.
    const before = new Map(
      [...this.alive].flatMap(({ views }) =>
        views.map((view) => [view.segment.ref.id, view] as const)
      )
    )
    const settled = await Promise.allSettled(
      manifest.segments.map((ref) => this.loadView(ref, manifest.spec, before.get(ref.id)))
    )
    const views = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const failed = settled.find((one) => one.status === 'rejected')
    if (failed === undefined) return views
    await this.giveBack(views)
    throw failed.reason
  }

  private async loadView(
    ref: ManifestSegment,
    spec: CollectionSpec,
    before: SegmentView | undefined
  ): Promise<SegmentView> {
    const segment = before?.segment.retain() ?? (await this.loadSegment(ref, spec))
    const same = (name: 'deletions' | 'overlay'): boolean =>
      before?.ref[name]?.key === ref[name]?.key
    // Filtered views keep the ref that they were made with. After a restore such views would keep
    // the old revisions.
    if (
      before !== undefined &&
      before.ref.restored === ref.restored &&
      same('deletions') &&
      same('overlay')
    )
      return { ...before, ref }
    try {
      const [deleted, updates] = await Promise.all([
        ref.deletions === null
          ? new Bitmap(ref.rows)
          : this.readFile(ref.deletions, (body) => Bitmap.decode(body)),
        ref.overlay === undefined ? new Map() : this.readFile(ref.overlay, decodePayloadUpdates)
      ])
      return openView({ ref, segment, deleted, updates })
    } catch (error) {
      await segment.release()
      throw error
    }
  }

  private async loadSegment(ref: ManifestSegment, spec: CollectionSpec): Promise<LoadedSegment> {
    // A restored segment may still be closing from before, and its files are removed then.
    await this.givenBack
    return await LoadedSegment.load(this.deps, ref, spec)
  }

  private async readFile<T>(ref: FileRef, decode: (body: Uint8Array) => T): Promise<T> {
    // As for a segment: a restored version may name it again.
    await this.givenBack
    return decode(await readFile(await this.deps.cache.path(ref)))
  }

  private async giveBack(views: readonly SegmentView[]): Promise<void> {
    const released = views.map(({ segment }) =>
      segment
        .release()
        .catch((error: unknown) =>
          this.deps.logger.error(
            { err: error, segment: segment.ref.id },
            'closing a segment failed'
          )
        )
    )
    await Promise.all(released)
  }

  /**
   * Segments that queries use stay open until they are released. Resolves when all other segments
   * are closed. The files of the version that was served stay on the disk.
   */
  async close(): Promise<void> {
    this.closed = true
    const { running } = this
    if (running !== undefined)
      await running.catch((error: unknown) =>
        this.deps.logger.debug({ err: error }, 'refresh ended by closing')
      )
    this.reader?.release()
    this.reader = undefined
    await this.givenBack
  }
}
