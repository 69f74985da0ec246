// Chooses the next merge: a pure function of the segments. Small segments are compacted and sealed
// in one merge tier. Sealed ones are merged by size class in the other tier. So small segments do
// not pile up behind a long merge of large ones.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { isOutgrown } from '../segment/quantizer.ts'
import {
  isSmall,
  needsQuantizer,
  sameConfig,
  sealedConfig,
  sealRows,
  type SegmentConfig,
  smallConfig
} from '../vector-index/segment-config.ts'
import type { Manifest, ManifestSegment } from '../version/manifest.ts'

export const mergeTiers = ['small', 'sealed'] as const
export type MergeTier = (typeof mergeTiers)[number]

/**
 * Methods to make the merged index. `build`: from its vectors. `lists`: by moving inverted lists.
 * `clone`: the graph of the input with the most rows is kept, and the rows of the others are added;
 * deleted rows of that graph stay as tombstones behind the rows of items.
 */
export type MergeWay = 'build' | 'lists' | 'clone'

export interface SegmentFacts
  extends Pick<ManifestSegment, 'id' | 'index' | 'storage' | 'rows' | 'items' | 'quantizer'> {
  deletedRows: number
  relabelledItems: number
  /** Bytes of the payload updates, which every commit that adds one writes again. */
  relabelledBytes: number
}
export interface MergePlan {
  tier: MergeTier
  /** Segment ids. */
  inputs: string[]
  config: SegmentConfig
  way: MergeWay
  /** Number of live rows of the collection, used as the size for a newly trained quantizer. */
  liveRows: number
  /** Whether to train a new quantizer although there is one. */
  retrain: boolean
}
export interface PlanInput {
  spec: CollectionSpec
  segments: readonly SegmentFacts[]
  quantizer: Manifest['quantizer']
  /** Ids of the inputs of running merges. */
  busy: ReadonlySet<string>
  tier: MergeTier
  shape: MergeShape
}
export interface MergeShape {
  /** Most rows of one merge, limited by the memory of its process. */
  mostRows: number
  /**
   * Number of segments of one size class that start a merge. Each class is larger than the one
   * below by this factor.
   */
  fanIn: number
}

export const defaultFanIn = 8
/** Inputs beyond the fan-in, when there are more segments. */
const moreInputs = 2
/** Share of deleted rows, or of updated items. */
const rewriteShare = 0.2
/** Bytes of payload updates that are worth a rewrite, however large the segment is. */
const rewriteBytes = 32 * 1024 * 1024
export const largestMergeRows = 5_000_000
/**
 * Smallest share of rows in the input whose graph is kept. `bench merge`, 4000 x 64: .78, .57, .30
 * and .13 of the time of a new build with 30, 50, 75 and 90 % kept, at the same recall; .87 with an
 * eighth, which is not worth the tombstones.
 */
export const cloneShare = 0.3

const liveRows = ({ rows, deletedRows }: SegmentFacts): number => rows - deletedRows
export const sumRows = (segments: readonly SegmentFacts[]): number =>
  segments.reduce((sum, segment) => sum + liveRows(segment), 0)
const bySize = (a: SegmentFacts, b: SegmentFacts): number => liveRows(a) - liveRows(b)
const isWorn = (segment: SegmentFacts): boolean =>
  segment.deletedRows >= rewriteShare * segment.rows ||
  segment.relabelledItems >= rewriteShare * segment.items ||
  segment.relabelledBytes >= rewriteBytes

/** Returns as many segments as a merge may have, the smallest first. */
export function fitting(
  segments: readonly SegmentFacts[],
  mostRows: number,
  most = Infinity
): SegmentFacts[] {
  let rows = 0
  return [...segments]
    .sort(bySize)
    .filter((segment, i) => i < most && (rows += liveRows(segment)) <= mostRows)
}

/**
 * Returns segments of the smallest size class that has enough segments, or as many as a merge may
 * have. So a row is copied once per class, not once per merge.
 */
function crowded(
  segments: readonly SegmentFacts[],
  { mostRows, fanIn }: MergeShape
): SegmentFacts[] | undefined {
  const classes = new Map<number, SegmentFacts[]>()
  for (const segment of segments) {
    const size = Math.floor(Math.log(Math.max(1, liveRows(segment))) / Math.log(fanIn))
    classes.set(size, [...(classes.get(size) ?? []), segment])
  }
  for (const [, members] of [...classes].sort(([a], [b]) => a - b)) {
    const inputs = fitting(members, mostRows, fanIn + moreInputs)
    // Two results that are each larger than half of the maximum do not fit into one merge. So this
    // merge copies these rows for the last time.
    const isLast =
      inputs.length > 1 && inputs.length < members.length && 2 * sumRows(inputs) > mostRows
    if (inputs.length >= fanIn || isLast) return inputs
  }
  return undefined
}

export function wayTo(
  config: SegmentConfig,
  inputs: readonly SegmentFacts[],
  quantizer: Manifest['quantizer']
): MergeWay {
  const fits = (segment: SegmentFacts): boolean =>
    sameConfig(segment, config) &&
    (!needsQuantizer(config) || segment.quantizer?.key === quantizer?.key)
  if (config.index === 'ivf') return inputs.every(fits) ? 'lists' : 'build'
  if (config.index !== 'hnsw') return 'build'
  const largest = inputs.reduce((a, b) => (b.rows > a.rows ? b : a))
  const isWorthIt =
    fits(largest) &&
    largest.deletedRows < rewriteShare * largest.rows &&
    liveRows(largest) >= cloneShare * sumRows(inputs)
  return isWorthIt ? 'clone' : 'build'
}

/** Returns undefined when no merge is due in this tier. */
export function planMerge({
  spec,
  segments,
  quantizer,
  busy,
  tier,
  shape
}: PlanInput): MergePlan | undefined {
  const most = Math.min(largestMergeRows, shape.mostRows)
  const crowdedOf = (segments: readonly SegmentFacts[]) =>
    crowded(segments, { ...shape, mostRows: most })
  const threshold = sealRows(spec)
  const [compact, sealed] = [smallConfig(spec), sealedConfig(spec)]
  const total = sumRows(segments)
  const plan = (
    inputs: readonly SegmentFacts[],
    config: SegmentConfig,
    retrain = false
  ): MergePlan => ({
    tier,
    inputs: inputs.map(({ id }) => id),
    config,
    way: retrain ? 'build' : wayTo(config, inputs, quantizer),
    liveRows: total,
    retrain
  })
  const free = segments.filter(({ id, rows }) => !busy.has(id) && rows <= most)
  const small = free.filter((segment) => isSmall(spec, segment))
  const large = free.filter((segment) => !isSmall(spec, segment))

  if (tier === 'small') {
    const sealing = fitting(small, most)
    if (sumRows(sealing) >= threshold) return plan(sealing, sealed)
    const many = crowdedOf(small)
    if (many !== undefined) return plan(many, compact)
    const worn = fitting(small.filter(isWorn), most, shape.fanIn + moreInputs)
    return worn.length > 0 ? plan(worn, compact) : undefined
  }
  if (total >= threshold && isOutgrown(spec, quantizer, total)) {
    const inputs = fitting(free, most)
    if (sumRows(inputs) >= threshold) return plan(inputs, sealed, true)
  }
  // A large segment with the small segment config: a single commit brought all of its rows.
  const unsealed = sameConfig(sealed, compact)
    ? undefined
    : large.find((segment) => sameConfig(segment, compact) && liveRows(segment) >= threshold)
  if (unsealed !== undefined) return plan([unsealed], sealed)
  const worn = large.find(isWorn)
  if (worn !== undefined) return plan([worn], liveRows(worn) >= threshold ? sealed : compact)
  const many = crowdedOf(large)
  return many === undefined ? undefined : plan(many, sealed)
}
