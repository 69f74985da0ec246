// Running merges of one writer: the version that each reads, the files that each may be writing,
// and how a result replaces its inputs.
import type { PayloadUpdates } from '../item/payload-updates.ts'
import { findItem, hashOf, itemOfRow } from '../segment/item-table.ts'
import type { OpenSegment } from '../segment/open-segment.ts'
import type { Bitmap } from '../version/bitmap.ts'
import type { Manifest } from '../version/manifest.ts'
import { type Compaction, planCompaction } from './compaction.ts'
import {
  defaultFanIn,
  type MergePlan,
  type MergeShape,
  type MergeTier,
  mergeTiers,
  planMerge,
  type SegmentFacts
} from './merge-plan.ts'
import type { MergeTask } from './merge-task.ts'

/** The part of a writer's state that merges read and change. */
export interface MergeableState {
  segments: OpenSegment[]
  compaction: Compaction | null
  dirty: boolean
}

/** An input in its committed state when the merge began. */
export interface MergeInput {
  id: string
  deleted: Bitmap
  updates: PayloadUpdates
}
export interface Proposal {
  plan: MergePlan
  inputs: MergeInput[]
  beganAtMs: number
  /**
   * Ids under which the merge writes, and keys of input files that later commits replace. These
   * files are not garbage while the merge runs.
   */
  ids: Set<string>
  /** Returns a task with new ids. Each attempt writes under its own ids. */
  newTask: () => MergeTask
  /** Aborts a merge that took too long. Its files become garbage. */
  abort: AbortController
}

export interface MergingDeps {
  newId: () => string
  nowMs: () => number
  /** Memory of one merge. */
  memoryBytes: number
  /** Overrides the shape given by the memory and the defaults. */
  shape?: Partial<MergeShape>
  /** Longest time for which the files of a merge may exist without a version that names them. */
  limitMs: number
}

/**
 * Returns the most rows of a merge. The inputs' indexes and the new one are in memory at once; for
 * sparse rows the new index and its source rows.
 */
const mergeRowsIn = (memoryBytes: number, rowBytes: number): number =>
  Math.floor(memoryBytes / (2 * (rowBytes + 400)))

/** Returns the bytes of a row. For sparse rows: the average of the existing ones. */
function rowBytesOf(
  { embedding: { dim, sparse } }: Pick<Manifest['spec'], 'embedding'>,
  segments: readonly OpenSegment[]
): number {
  if (!sparse) return 4 * dim
  const sum = (of: (ref: OpenSegment['ref']) => number): number =>
    segments.reduce((total, { ref }) => total + of(ref), 0)
  return (
    sum(({ files }) => files.index.sizeBytes) /
    Math.max(
      1,
      sum(({ rows }) => rows)
    )
  )
}

const factsOf = ({ ref, deleted, updates }: OpenSegment): SegmentFacts => ({
  ...ref,
  deletedRows: deleted.count,
  relabelledItems: updates.size,
  relabelledBytes: ref.overlay?.sizeBytes ?? 0
})

export class MergesUnderWay {
  private readonly deps: MergingDeps
  private readonly proposals = new Set<Proposal>()

  constructor(deps: MergingDeps) {
    this.deps = deps
  }

  /**
   * Call this when all changes are committed: a proposal reads a version, and later changes are
   * carried over.
   */
  begin(
    state: MergeableState,
    { seq, spec, quantizer }: Pick<Manifest, 'seq' | 'spec' | 'quantizer'>,
    tiers: readonly MergeTier[] = mergeTiers
  ): Proposal | undefined {
    const { nowMs } = this.deps
    for (const tier of tiers) {
      const plan = this.plan(state, { spec, quantizer }, tier)
      if (plan === undefined) continue
      const inputs = plan.inputs.map((id) => state.segments.find(({ ref }) => ref.id === id)!)
      const refs = inputs.map(({ ref }) => ref)
      // Commits replace bitmaps and payload updates. The files that this merge still has to read
      // must stay.
      const ids = new Set(
        refs.flatMap(({ deletions, overlay }) =>
          [deletions?.key, overlay?.key].filter((key) => key !== undefined)
        )
      )
      const newTask = (): MergeTask => {
        const [segmentId, quantizerId] = [this.deps.newId(), this.deps.newId()]
        ids.add(segmentId).add(quantizerId)
        return { spec, seq, plan, inputs: refs, quantizer, segmentId, quantizerId }
      }
      const read = inputs.map(
        ({ ref, deleted, updates }): MergeInput => ({
          id: ref.id,
          deleted: deleted.clone(),
          updates: new Map(updates)
        })
      )
      const proposal: Proposal = {
        plan,
        inputs: read,
        beganAtMs: nowMs(),
        ids,
        newTask,
        abort: new AbortController()
      }
      this.proposals.add(proposal)
      return proposal
    }
    return undefined
  }

  private plan(
    state: MergeableState,
    { spec, quantizer }: Pick<Manifest, 'spec' | 'quantizer'>,
    tier: MergeTier
  ): MergePlan | undefined {
    const busy = new Set([...this.proposals].flatMap(({ inputs }) => inputs.map(({ id }) => id)))
    const shape = {
      mostRows: mergeRowsIn(this.deps.memoryBytes, rowBytesOf(spec, state.segments)),
      fanIn: defaultFanIn,
      ...this.deps.shape
    }
    const input = { spec, segments: state.segments.map(factsOf), quantizer, busy, tier, shape }
    return planMerge(input) ?? planCompaction(input, state.compaction)
  }

  /** Whether no merge is running and no merge is due. */
  isCompacted(state: MergeableState, version: Pick<Manifest, 'spec' | 'quantizer'>): boolean {
    return (
      this.proposals.size === 0 &&
      mergeTiers.every((tier) => this.plan(state, version, tier) === undefined)
    )
  }

  /** Ends all merges, because the collection no longer consists of their inputs. */
  abandon(): void {
    for (const proposal of this.proposals) proposal.abort.abort()
    this.proposals.clear()
  }

  isUnderWay(proposal: Proposal): boolean {
    return this.proposals.has(proposal)
  }

  end(proposal: Proposal): void {
    this.proposals.delete(proposal)
  }

  /** Returns ids that are roots of garbage collection. Merges past their limit are aborted. */
  heldIds(): Set<string> {
    for (const proposal of this.proposals) {
      if (this.deps.nowMs() - proposal.beganAtMs < this.deps.limitMs) continue
      proposal.abort.abort()
      this.proposals.delete(proposal)
    }
    return new Set([...this.proposals].flatMap(({ ids }) => [...ids]))
  }
}

/** Returns undefined for an input that is gone. */
export const presentInputs = (
  state: MergeableState,
  { inputs }: Proposal
): (OpenSegment | undefined)[] =>
  inputs.map(({ id }) => state.segments.find(({ ref }) => ref.id === id))

/**
 * Marks in the result the rows and items that were deleted or updated in an input since the merge
 * read that input. Items are found in the result by their hash.
 */
export function carryOver(
  { deleted: then, updates: written }: MergeInput,
  now: OpenSegment,
  result: OpenSegment
): void {
  const place = (item: number): number => findItem(result.meta, hashOf(now.meta, item))
  for (const row of now.deleted.since(then)) {
    const item = place(itemOfRow(now.meta, row))
    if (item < 0 || result.deleted.has(result.meta.firstRow[item]!)) continue
    result.deletedItems++
    for (let to = result.meta.firstRow[item]!; to < result.meta.firstRow[item + 1]!; to++)
      result.deleted.add(to)
  }
  for (const [item, update] of now.updates) {
    // The update is newer than the written one.
    if (update === written.get(item) || now.deleted.has(now.meta.firstRow[item]!)) continue
    result.updates.set(place(item), update)
  }
}

export interface AdoptionRules {
  /** Whether a proposal may still be adopted: every input must exist. */
  mayAdopt(inputs: readonly (OpenSegment | undefined)[]): boolean
  carryOver: typeof carryOver
}

/**
 * Replaces the inputs by the merged segment (null: all rows were deleted). Returns false, without a
 * change, when an input is gone.
 */
export function adoptMerge(
  state: MergeableState,
  proposal: Proposal,
  result: OpenSegment | null,
  rules: AdoptionRules
): boolean {
  const present = presentInputs(state, proposal)
  if (!rules.mayAdopt(present)) return false
  state.segments = state.segments.filter((segment) => !present.includes(segment))
  state.dirty = true
  if (result === null) return true
  for (let row = result.meta.firstRow[result.meta.items]!; row < result.meta.rows; row++)
    result.deleted.add(row)
  present.forEach(
    (segment, i) => segment !== undefined && rules.carryOver(proposal.inputs[i]!, segment, result)
  )
  // Oldest first: findLiveRows looks at the newest first.
  state.segments.unshift(
    Object.assign(result, {
      changed: result.deleted.count > 0,
      updatesChanged: result.updates.size > 0
    } satisfies Partial<OpenSegment>)
  )
  return true
}
