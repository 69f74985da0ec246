// Objects that a writer may delete after CURRENT has moved: files that no retained version names,
// and uploads of requests that were never accepted.
import { isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { retryStore } from '@likeness/store/retry-store'
import type { ProtocolContext } from '../version/commit-protocol.ts'
import type { Current } from '../version/current.ts'
import { readFenced } from '../version/fenced-read.ts'
import { type CollectionDeps, emptyCache, findGarbage } from './collector.ts'
import { UnacceptedUploads } from './unaccepted-uploads.ts'

export interface GarbageDeps extends CollectionDeps {
  context: ProtocolContext
  logger: Logger
  signal?: AbortSignal
  uploadRetentionMs?: number
}

export class Garbage {
  private readonly deps: GarbageDeps
  private readonly heldIds: () => ReadonlySet<string>
  private readonly cache = emptyCache()
  private readonly unaccepted: UnacceptedUploads | undefined

  /** `heldIds`: ids of files that are being written. */
  constructor(deps: GarbageDeps, heldIds: () => ReadonlySet<string>) {
    this.deps = deps
    this.heldIds = heldIds
    const { uploadRetentionMs } = deps
    this.unaccepted =
      uploadRetentionMs === undefined
        ? undefined
        : new UnacceptedUploads({ ...deps, retentionMs: uploadRetentionMs })
  }

  /** Returns the keys of files to delete: an empty list while a needed manifest is damaged. */
  async files({ epoch, manifest }: Current): Promise<string[]> {
    const { context, logger } = this.deps
    try {
      return await readFenced(context, epoch, () =>
        findGarbage(this.deps, this.cache, manifest, this.heldIds)
      )
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      logger.error(
        { err: error },
        'a manifest is damaged, nothing is collected until it is repaired'
      )
      return []
    }
  }

  /** Whether old uploads are left to look at, or to delete. */
  get hasUploadsLeft(): boolean {
    return this.unaccepted?.hasLeft === true
  }

  /** Looks at the next uploads. Returns true when there are unaccepted ones. */
  async hasUploads(isRegistered: (ingestion: string) => boolean): Promise<boolean> {
    const {
      deps: { clock, signal },
      unaccepted
    } = this
    return (
      unaccepted !== undefined &&
      (await retryStore(clock, () => unaccepted.find(isRegistered), signal)).length > 0
    )
  }

  /**
   * Returns every object of the unaccepted uploads, or undefined while there is an accepted log
   * entry that is not read yet.
   */
  async uploads({
    appliedSlot,
    ingestions
  }: {
    appliedSlot: number
    ingestions: { has(ingestion: string): boolean }
  }): Promise<string[] | undefined> {
    const {
      deps: { store, clock, keys, signal, logger },
      unaccepted
    } = this
    if (
      unaccepted === undefined ||
      (await retryStore(clock, () => store.head(keys.logSlot(appliedSlot + 1)), signal)) !==
        undefined
    )
      return undefined
    const isRegistered = (ingestion: string): boolean => ingestions.has(ingestion)
    try {
      return await retryStore(clock, () => unaccepted.objects(appliedSlot, isRegistered), signal)
    } catch (error) {
      if (!isAppError(error, 'data_corrupt') && !isAppError(error, 'object_not_found')) throw error
      logger.error({ err: error }, 'the log is damaged: no upload is judged until it is repaired')
      return undefined
    }
  }

  /** Call this after the found uploads are deleted. */
  clearUploads(): void {
    this.unaccepted?.clear()
  }
}
