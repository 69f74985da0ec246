// Makes a collection again while it goes on: with the requested embedding, or with its own where a
// rebuild was asked for. A reindex builds the new version; then a single commit publishes the result.
// Every request for a rebuild is answered by the next version of either kind.
import type { TakenBatch } from '../apply/batch-intake.ts'
import type { WriterState } from '../apply/writer-state.ts'
import type { CollectionState } from './collection-state.ts'
import { endRebuilds } from './pending-rebuilds.ts'
import {
  isRefusal,
  mustBeSuperseded,
  type Refusal,
  Reindex,
  type ReindexRequest,
  Superseded
} from './reindex.ts'
import { replayDeps } from './writer-deps.ts'

/** Most rounds of catching up before the steps of the collection are stopped for the last one. */
const mostRounds = 8

/** A change of the embedding comes first: it makes the collection again too. */
function requestIn({ spec, reprojection, rebuilds, history }: WriterState) {
  const { embedding } = spec
  if (reprojection?.state === 'running') return { ...reprojection, kind: 'reproject' } as const
  const [revision] = rebuilds
  if (revision !== undefined) return { revision, embedding, kind: 'rebuild' } as const
  return history === null ? ({ revision: 0, embedding, kind: 'number' } as const) : undefined
}

export class Reindexing {
  private readonly collection: CollectionState
  private readonly onAdopted: () => void
  private running: Reindex | undefined
  /** Log or batches are damaged: without a rebuild the arrivals have no numbers. */
  private cannotNumber = false

  /** `onAdopted`: called after the segments are replaced and before their commit. */
  constructor(collection: CollectionState, onAdopted: () => void) {
    this.collection = collection
    this.onAdopted = onAdopted
  }

  get isUnderWay(): boolean {
    return this.running !== undefined
  }

  /** Ids of files that the reindex writes. These files are not garbage. */
  heldIds(): Set<string> {
    return new Set(this.running?.heldIds())
  }

  /**
   * Call this for each batch that is applied to the collection. The reindex takes in the same
   * batch.
   */
  follow(batch: TakenBatch): void {
    this.running?.follow(batch)
  }

  /**
   * Returns false when there is no request. Rejects with ownership_lost, or with a temporary error.
   * Then the reindex may be tried again.
   */
  async reindex(): Promise<boolean> {
    const { collection } = this
    const request = requestIn(collection.state)
    const isNumbering = request?.kind === 'number'
    if (isNumbering && this.cannotNumber) return false
    const release = isNumbering ? this.collection.deps.mayNumber?.() : () => undefined
    if (release === null) return false
    try {
      return await this.run()
    } finally {
      release?.()
    }
  }

  private async run(): Promise<boolean> {
    const { collection } = this
    const reindex = await collection.exclusively(async () => this.begin())
    if (reindex === undefined) return false
    try {
      await collection.fenced(() => reindex.build())
      do await this.catchUp(reindex)
      while (await collection.fenced(() => reindex.merge()))
      await collection.exclusively(() => this.adopt(reindex))
    } catch (error) {
      if (!isRefusal(error)) return mustBeSuperseded(error)
      await collection.exclusively(() => this.refuse(reindex, error))
    } finally {
      this.running = undefined
    }
    return true
  }

  private begin(): Reindex | undefined {
    const { collection } = this
    const { deps, state } = collection
    const request = requestIn(state)
    if (request === undefined) return undefined
    const { signal } = deps
    const isWanted = (): boolean =>
      !collection.isLost && signal?.aborted !== true && this.isAskedFor(request)
    this.running = new Reindex(
      {
        ...replayDeps(deps, collection.fencedFiles()),
        isWanted,
        findEnded: (revision) => collection.findEnded(revision)
      },
      state,
      request
    )
    return this.running
  }

  /** Each round is shorter than the one before, as long as the reindex is faster than the steps. */
  private async catchUp(reindex: Reindex): Promise<void> {
    const { collection } = this
    for (let round = 0; round < mostRounds && (round === 0 || reindex.isBehind); round++)
      await collection.fenced(() => reindex.catchUp(collection.manifest.appliedSlot))
  }

  private isAskedFor({ kind, revision }: ReindexRequest): boolean {
    const { reprojection, rebuilds, history } = this.collection.state
    if (kind === 'number') return history === null
    return kind === 'rebuild' ? rebuilds.includes(revision) : reprojection?.revision === revision
  }

  private async adopt(reindex: Reindex): Promise<void> {
    const { collection } = this
    const { kind, revision, embedding } = reindex.request
    if (!this.isAskedFor(reindex.request)) return
    try {
      collection.state = await collection.fenced(() => reindex.finish(collection.state))
    } catch (error) {
      if (isRefusal(error)) return await this.refuse(reindex, error)
      if (error instanceof Superseded) return
      throw error
    }
    this.onAdopted()
    const { state } = collection
    if (kind === 'reproject') {
      state.reprojection = { revision, embedding, state: 'applied' }
      state.results.push({ revision })
    }
    endRebuilds(state)
    await collection.commit(reindex.quantizer)
  }

  /** Ends a request without an effect. Otherwise every writer would try it again and again. */
  private async refuse({ request }: Reindex, error: Refusal): Promise<void> {
    const { collection } = this
    const { kind, revision, embedding } = request
    if (!this.isAskedFor(request)) return
    const { state, deps } = collection
    const { code } = error
    if (kind === 'number') {
      this.cannotNumber = true
      const message = 'the history of a former program cannot be folded: log or batches are damaged'
      return void deps.logger.error({ err: error }, message)
    }
    if (kind === 'reproject') {
      deps.logger.error({ err: error, embedding: embedding.version }, 'embedding is not changed')
      state.reprojection = { revision, embedding, state: code }
      state.results.push({ revision, error: code })
    } else {
      deps.logger.error({ err: error }, 'not made again: log or batches are damaged')
      state.results.push(...state.rebuilds.map((revision) => ({ revision, error: code })))
      state.rebuilds = []
    }
    state.dirty = true
    await collection.commit()
  }
}
