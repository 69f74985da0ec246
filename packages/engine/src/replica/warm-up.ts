// Loads collections when a process starts, before anybody asks for them: the pinned ones, then those
// that the process before this one used last, as far as the memory goes.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import { retry } from '@likeness/shared/process/retry'
import type { ObjectStore } from '@likeness/store/object-store'
import type { ListedCollection } from '../contract.ts'
import { isDropped, readCurrent } from '../version/current.ts'
import { type Manifest, readManifest } from '../version/manifest.ts'
import type { LoadedCollections } from './loaded-collections.ts'
import { machineBytes, versionBytes } from './replica-memory.ts'

export interface WarmUpDeps {
  store: ObjectStore
  clock: Clock
  logger: Logger
  loaded: LoadedCollections
  memoryBytes?: number
}

/** Collections that are loaded at a time: a large one does not keep the small ones waiting. */
const loadedAtOnce = 4
/** A collection counts as used last when it was read within this time before the newest read. */
const usedWithinMs = 24 * 3_600_000
const storeRetryMs = 1_000
/**
 * Share of the machine's memory for collections that nobody has asked for yet, where no bound is
 * given. A process that ran out of memory must not do so again at each start.
 */
const shareWithoutBound = 0.5

interface Wanted {
  collectionId: string
  /** False: the collection has files here and no name. It may have been dropped. */
  isLoaded: boolean
}

export class WarmUp {
  private readonly deps: WarmUpDeps
  private readonly left = new Set<string>()
  /** Bytes of the collections that are being loaded. */
  private reservedBytes = 0
  private stopped = false

  constructor(deps: WarmUpDeps) {
    this.deps = deps
  }

  waiting(): string[] {
    return [...this.left]
  }

  /** A stop is no reason to leave out what is being loaded at the next start. */
  async stop(): Promise<void> {
    this.stopped = true
    const { kept } = this.deps.loaded
    await Promise.all(this.waiting().map((id) => this.remembered(kept.endLoad(id))))
  }

  async run(listed: readonly ListedCollection[]): Promise<void> {
    const wanted = await this.wanted(listed)
    for (const { collectionId } of wanted) this.left.add(collectionId)
    const queue = wanted.entries()
    const lanes = Array.from({ length: loadedAtOnce }, async () => {
      for (const [place, one] of queue) await this.loadQuietly(one, -1 - place)
    })
    await Promise.all(lanes)
  }

  private async wanted(listed: readonly ListedCollection[]): Promise<Wanted[]> {
    const { loaded, logger } = this.deps
    const kept = await loaded.kept.list()
    const cutOff = await loaded.kept.takeCutOff()
    if (cutOff.size > 0)
      logger.warn(
        { collections: [...cutOff] },
        'the process before ended while it loaded these: they wait for their first read'
      )
    const sinceMs = (kept[0]?.usedAtMs ?? 0) - usedWithinMs
    const named = new Set(listed.map(({ collectionId }) => collectionId))
    const pinned = listed.filter(({ settings }) => settings.pinned)
    const used = kept.filter(({ usedAtMs }) => usedAtMs > 0 && usedAtMs >= sinceMs)
    const first = new Set(
      [...pinned, ...used]
        .map(({ collectionId }) => collectionId)
        .filter((collectionId) => !cutOff.has(collectionId))
    )
    const unnamed = kept
      .map(({ collectionId }) => collectionId)
      .filter((collectionId) => !named.has(collectionId) && !first.has(collectionId))
    return [
      ...[...first].map((collectionId) => ({ collectionId, isLoaded: true })),
      ...unnamed.map((collectionId) => ({ collectionId, isLoaded: false }))
    ]
  }

  /** A collection that cannot be loaded is left alone: its first read tries again, and says why. */
  private async loadQuietly({ collectionId, isLoaded }: Wanted, rank: number): Promise<void> {
    const { clock, logger, loaded } = this.deps
    try {
      await retry(() => this.load({ collectionId, isLoaded }, rank), {
        isRetryable: (error) => isAppError(error, 'store_unavailable'),
        pauseMs: () => storeRetryMs,
        sleep: (ms) => clock.sleep(ms)
      })
    } catch (error) {
      if (this.stopped) return
      if (isAppError(error, 'collection_not_found')) await loaded.forget(collectionId)
      else logger.warn({ err: error, collectionId }, 'a collection was not loaded at the start')
    } finally {
      this.left.delete(collectionId)
    }
  }

  private async load({ collectionId, isLoaded }: Wanted, rank: number): Promise<void> {
    if (this.stopped) return
    const manifest = await this.newestVersion(collectionId)
    if (!isLoaded || this.stopped) return
    const bytes = manifest === undefined ? 0 : versionBytes(manifest)
    if (!this.fits(bytes) && manifest?.spec.settings.pinned !== true) return
    const { loaded } = this.deps
    this.reservedBytes += bytes
    try {
      await this.remembered(loaded.kept.beginLoad(collectionId))
      await loaded.using(collectionId, (collection) => collection.refresh(), { rank })
    } finally {
      this.reservedBytes -= bytes
      await this.remembered(loaded.kept.endLoad(collectionId))
    }
  }

  /** On a disk that takes nothing more, a load is not remembered. */
  private async remembered(mark: Promise<void>): Promise<void> {
    await mark.catch((error: unknown) =>
      this.deps.logger.debug({ err: error }, 'no mark of a load')
    )
  }

  private fits(bytes: number): boolean {
    const { loaded, memoryBytes = shareWithoutBound * machineBytes() } = this.deps
    const resident = loaded.residents().reduce((sum, one) => sum + one.bytes, 0)
    return resident + this.reservedBytes + bytes <= memoryBytes
  }

  /** undefined: a newer version has taken its place meanwhile. Throws collection_not_found. */
  private async newestVersion(collectionId: string): Promise<Manifest | undefined> {
    const { store } = this.deps
    const found = await readCurrent(store, collectionKeys(collectionId).current)
    if (found === undefined || isDropped(found.current))
      throw appError('collection_not_found', 'the collection was dropped')
    return await readManifest(store, found.current.manifest, found.current.sha256)
  }
}
