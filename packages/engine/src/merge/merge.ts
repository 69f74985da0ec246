// Merges under way in one owner: what each read, which files it may be writing, and how its result takes the place of its inputs.
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

/** An input as it was committed when the merge began. */
export interface MergeInput {
  id: string
  deleted: Bitmap
  updates: PayloadUpdates
}
export interface Proposal {
  plan: MergePlan
  inputs: MergeInput[]
  beganAtMs: number
  /** Ids under which it writes, and keys of what it reads and commits replace: not garbage while it is under way. */
  ids: Set<string>
  /** A task with new ids: each attempt writes under its own. */
  newTask: () => MergeTask
  /** It took too long: what it wrote is garbage. */
  abort: AbortController
}

export interface MergingDeps {
  newId: () => string
  nowMs: () => number
  /** Of one merge. */
  memoryBytes: number
  /** Other than the memory and the default say. */
  shape?: Partial<MergeShape>
  /** How long the files of a merge may stay without a version that names them. */
  limitMs: number
}

/** How many rows a merge may have: its inputs' indexes and the new one are in memory at once; of sparse ones the new one and the rows that it is made of. */
const mergeRowsIn = (memoryBytes: number, rowBytes: number): number =>
  Math.floor(memoryBytes / (2 * (rowBytes + 400)))

/** Sparse rows take what they have taken so far. */
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
  relabelledItems: updates.size
})

export class MergesUnderWay {
  private readonly deps: MergingDeps
  private readonly proposals = new Set<Proposal>()

  constructor(deps: MergingDeps) {
    this.deps = deps
  }

  /** Call while nothing is uncommitted: a proposal reads a version, and what came after it is carried over. */
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
      // Commits replace bitmaps and overlays: those that it has still to read stay.
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

  /** Nothing is left to do, and nothing is being done. */
  isCompacted(state: MergeableState, version: Pick<Manifest, 'spec' | 'quantizer'>): boolean {
    return (
      this.proposals.size === 0 &&
      mergeTiers.every((tier) => this.plan(state, version, tier) === undefined)
    )
  }

  /** What they read is not what the collection is made of any more. */
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

  /** Ids that are roots of garbage collection. Merges past their limit are given up. */
  heldIds(): Set<string> {
    for (const proposal of this.proposals) {
      if (this.deps.nowMs() - proposal.beganAtMs < this.deps.limitMs) continue
      proposal.abort.abort()
      this.proposals.delete(proposal)
    }
    return new Set([...this.proposals].flatMap(({ ids }) => [...ids]))
  }
}

/** undefined where an input is gone. */
export const presentInputs = (
  state: MergeableState,
  { inputs }: Proposal
): (OpenSegment | undefined)[] =>
  inputs.map(({ id }) => state.segments.find(({ ref }) => ref.id === id))

/** Marks in the result what was deleted or relabelled in an input since the merge read it. The row map is the order of hashes: an item is found by its own. */
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
    // Another one than was written.
    if (update === written.get(item) || now.deleted.has(now.meta.firstRow[item]!)) continue
    result.updates.set(place(item), update)
  }
}

export interface AdoptionRules {
  /** Whether a proposal may still be adopted: every input must be there. */
  mayAdopt(inputs: readonly (OpenSegment | undefined)[]): boolean
  carryOver: typeof carryOver
}

/** Puts the merged segment (null: nothing was alive) in place of its inputs. False, and nothing changed, when an input is gone. */
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
  // Oldest first: findLive looks at the newest first.
  state.segments.unshift(
    Object.assign(result, {
      changed: result.deleted.count > 0,
      updatesChanged: result.updates.size > 0
    } satisfies Partial<OpenSegment>)
  )
  return true
}
