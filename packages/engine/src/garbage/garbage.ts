// Objects that a writer may delete after CURRENT has moved: files that no retained version names,
// and uploads of requests that were never accepted.
import { isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { retryStore } from '@likeness/store/retry-store'
import type { ProtocolContext } from '../version/commit-protocol.ts'
import type { Current } from '../version/current.ts'
import { readFenced } from '../version/fenced-read.ts'
import { type CollectionDeps, emptyCache, findGarbage } from './collector.ts'
import type { AppliedState } from './accepted-ingestions.ts'
import { FoldedObjects, type FoldedState } from './folded-objects.ts'
import { UnacceptedUploads } from './unaccepted-uploads.ts'
import { isLost } from '../state/read-state.ts'

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
  private readonly folded: FoldedObjects

  /** `heldIds`: ids of files that are being written. */
  constructor(deps: GarbageDeps, heldIds: () => ReadonlySet<string>) {
    this.deps = deps
    this.heldIds = heldIds
    this.folded = new FoldedObjects(deps)
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
  async hasUploads(state: AppliedState): Promise<boolean> {
    const {
      deps: { clock, signal },
      unaccepted
    } = this
    if (unaccepted === undefined) return false
    const find = () => unaccepted.find(state)
    return ((await this.judged(() => retryStore(clock, find, signal))) ?? []).length > 0
  }

  /**
   * Returns every object of the unaccepted uploads, or undefined while there is a log entry that is
   * not applied yet.
   */
  async uploads(state: AppliedState): Promise<string[] | undefined> {
    const {
      deps: { store, clock, keys, signal },
      unaccepted
    } = this
    if (
      unaccepted === undefined ||
      (await retryStore(clock, () => store.head(keys.logSlot(state.appliedSlot + 1)), signal)) !==
        undefined
    )
      return undefined
    return await this.judged(() => retryStore(clock, () => unaccepted.objects(state), signal))
  }

  /** Returns undefined while nobody can know what was accepted. */
  private async judged<T>(judge: () => Promise<T>): Promise<T | undefined> {
    try {
      return await judge()
    } catch (error) {
      if (!isLost(error)) throw error
      const message = 'the log is damaged: no upload is judged until it is repaired'
      this.deps.logger.error({ err: error }, message)
      return undefined
    }
  }

  /**
   * Returns some slots, batches and lists that two bases stand for; undefined when none is left, or a
   * base is damaged.
   */
  async foldedObjects(state: FoldedState): Promise<string[] | undefined> {
    try {
      return await this.folded.next(state)
    } catch (error) {
      if (!isLost(error)) throw error
      const message = 'a base is damaged: nothing that it stands for is deleted'
      this.deps.logger.error({ err: error }, message)
      return undefined
    }
  }

  /** Call this after the found uploads are deleted. */
  clearUploads(): void {
    this.unaccepted?.clear()
  }
}
