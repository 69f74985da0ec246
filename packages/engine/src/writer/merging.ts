// Merges of one writer: begun on its state, built while commits go on, adopted in a commit.
import { isAppError } from '@likeness/shared/errors'
import type { WriterState } from '../apply/writer-state.ts'
import { buildMerge } from '../merge/merge-build.ts'
import type { MergeTier } from '../merge/merge-plan.ts'
import { adoptMerge, MergesUnderWay, presentInputs, type Proposal } from '../merge/merge.ts'
import { openSegment, type OpenSegment } from '../segment/open-segment.ts'
import type { Manifest } from '../version/manifest.ts'
import type { CollectionState } from './collection-state.ts'
import { mergingDeps } from './writer-deps.ts'

interface Built {
  result: OpenSegment | null
  quantizer: Manifest['quantizer']
}

export class Merging {
  private readonly collection: CollectionState
  private readonly underWay: MergesUnderWay

  constructor(collection: CollectionState) {
    this.collection = collection
    const { deps } = collection
    this.underWay = new MergesUnderWay({ ...mergingDeps(deps), newId: deps.newId })
  }

  /** Ids of files that merges write, or that commits will replace. These files are not garbage. */
  heldIds(): Set<string> {
    return new Set(this.underWay.heldIds())
  }

  /** Ends all running merges. Their results are not used. */
  abandon(): void {
    this.underWay.abandon()
  }

  /**
   * Merges segments when a merge is due, in one merge tier or in any. Returns false when no merge
   * was due, or the result could not be used.
   */
  async merge(tier?: MergeTier): Promise<boolean> {
    const { collection, underWay } = this
    const tiers = tier === undefined ? undefined : [tier]
    const proposal = await collection.exclusively(async () =>
      underWay.begin(collection.state, collection.manifest, tiers)
    )
    if (proposal === undefined) return await this.endCompaction()
    try {
      const built = await this.build(proposal)
      return (
        built !== undefined && (await collection.exclusively(() => this.adopt(proposal, built)))
      )
    } finally {
      underWay.end(proposal)
    }
  }

  private async adopt(proposal: Proposal, { result, quantizer }: Built): Promise<boolean> {
    const { collection } = this
    const { state, deps, manifest } = collection
    if (!this.underWay.isUnderWay(proposal)) return false
    if (!adoptMerge(state, proposal, result, deps.protocol)) return false
    await collection.commit(quantizer ?? manifest.quantizer)
    return true
  }

  /** Ends a requested compaction when no merge is left. */
  private async endCompaction(): Promise<boolean> {
    const { collection } = this
    const { compaction } = collection.state
    if (compaction === null) return false
    return await collection.exclusively(async () => {
      const { state, manifest } = collection
      if (state.compaction !== compaction || !this.underWay.isCompacted(state, manifest))
        return false
      state.results.push({ revision: compaction.revision })
      Object.assign(state, { compaction: null, dirty: true } satisfies Partial<WriterState>)
      await collection.commit()
      return true
    })
  }

  /**
   * Returns undefined when the merge took too long, or an input disappeared: a commit emptied that
   * segment and its files were collected.
   */
  private async build(proposal: Proposal): Promise<Built | undefined> {
    const { collection } = this
    const { files, buildMerge: build = (task) => buildMerge(files, task) } = collection.deps
    try {
      const { segment, quantizer } = await collection.fenced(() =>
        build(proposal.newTask(), proposal.abort.signal)
      )
      const result = segment && (await collection.fenced(() => openSegment(files, segment)))
      return { result, quantizer }
    } catch (error) {
      if (this.isUsable(proposal) || isAppError(error, 'ownership_lost')) throw error
      return undefined
    }
  }

  private isUsable(proposal: Proposal): boolean {
    const inputs = presentInputs(this.collection.state, proposal)
    return this.underWay.isUnderWay(proposal) && inputs.every((input) => input !== undefined)
  }
}
