// Gives a collection the requested embedding. A reindex builds the new version while the collection
// goes on; then a single commit publishes the result.
import type { CollectionState } from './collection-state.ts'
import {
  isRefusal,
  mustBeSuperseded,
  type Refusal,
  Reindex,
  type ReindexRequest,
  Superseded
} from './reindex.ts'
import { replayDeps } from './writer-deps.ts'

export class Reprojecting {
  private readonly collection: CollectionState
  private readonly onAdopted: () => void
  private reindex: Reindex | undefined

  /** `onAdopted`: called after the segments are replaced and before their commit. */
  constructor(collection: CollectionState, onAdopted: () => void) {
    this.collection = collection
    this.onAdopted = onAdopted
  }

  /** Ids of files that the reindex writes. These files are not garbage. */
  heldIds(): Set<string> {
    return new Set(this.reindex?.heldIds())
  }

  /**
   * Call this for each batch that is applied to the collection. The reindex takes in the same
   * batch.
   */
  follow(batchKey: string): void {
    this.reindex?.follow(batchKey)
  }

  /**
   * Returns false when there is no request. Rejects with ownership_lost, or with a temporary error.
   * Then the reindex may be tried again.
   */
  async reproject(): Promise<boolean> {
    const { collection } = this
    const reindex = await collection.exclusively(async () => this.begin())
    if (reindex === undefined) return false
    try {
      await collection.fenced(() => reindex.build())
      do await collection.fenced(() => reindex.catchUp(collection.manifest.appliedSlot))
      while (await collection.fenced(() => reindex.merge()))
      await collection.exclusively(() => this.adopt(reindex))
    } catch (error) {
      if (!isRefusal(error)) return mustBeSuperseded(error)
      await collection.exclusively(() => this.refuse(reindex, error))
    } finally {
      this.reindex = undefined
    }
    return true
  }

  private begin(): Reindex | undefined {
    const { collection } = this
    const { deps, state } = collection
    const { reprojection } = state
    if (reprojection?.state !== 'running') return undefined
    const { signal } = deps
    const isWanted = (): boolean =>
      !collection.isLost && signal?.aborted !== true && this.isAskedFor(reprojection)
    this.reindex = new Reindex(
      { ...replayDeps(deps, collection.fencedFiles()), isWanted },
      state,
      reprojection
    )
    return this.reindex
  }

  private isAskedFor({ revision }: ReindexRequest): boolean {
    return this.collection.state.reprojection?.revision === revision
  }

  private async adopt(reindex: Reindex): Promise<void> {
    const { collection } = this
    const { revision, embedding } = reindex.request
    if (!this.isAskedFor(reindex.request)) return
    try {
      collection.state = await collection.fenced(() => reindex.finish(collection.state))
    } catch (error) {
      if (isRefusal(error)) return await this.refuse(reindex, error)
      if (error instanceof Superseded) return
      throw error
    }
    this.onAdopted()
    collection.state.reprojection = { revision, embedding, state: 'applied' }
    collection.state.results.push({ revision })
    await collection.commit(reindex.quantizer)
  }

  private async refuse({ request }: Reindex, error: Refusal): Promise<void> {
    const { collection } = this
    const { revision, embedding } = request
    if (!this.isAskedFor(request)) return
    const { logger } = collection.deps
    logger.error({ err: error, embedding: embedding.version }, 'the collection keeps its embedding')
    collection.state.reprojection = { revision, embedding, state: error.code }
    collection.state.results.push({ revision, error: error.code })
    collection.state.dirty = true
    await collection.commit()
  }
}
