// What to merge next: a pure function of what the segments are. Small segments are compacted and sealed in one lane, sealed ones
// merged by size class in another, so that a long merge of large segments does not let small ones pile up.
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
 * How the merged index is made. `build`: from its vectors. `lists`: by moving inverted lists. `clone`: the graph of the input with the most
 * rows is kept and the rows of the others are added to it; its deleted rows stay as tombstones behind the rows of items.
 */
export type MergeWay = 'build' | 'lists' | 'clone'

export interface SegmentFacts
  extends Pick<ManifestSegment, 'id' | 'index' | 'storage' | 'rows' | 'items' | 'quantizer'> {
  deletedRows: number
  relabelledItems: number
}
export interface MergePlan {
  tier: MergeTier
  /** Segment ids. */
  inputs: string[]
  config: SegmentConfig
  way: MergeWay
  /** Live rows of the collection: what a quantizer that is trained now is for. */
  liveRows: number
  /** Train anew although there is a quantizer. */
  retrain: boolean
}
export interface PlanInput {
  spec: CollectionSpec
  segments: readonly SegmentFacts[]
  quantizer: Manifest['quantizer']
  /** Inputs of merges under way. */
  busy: ReadonlySet<string>
  tier: MergeTier
  shape: MergeShape
}
export interface MergeShape {
  /** Of one merge, as the memory of its process allows. */
  mostRows: number
  /** Segments of one size class are merged when there are this many; a class is this many times larger than the one below. */
  fanIn: number
}

export const defaultFanIn = 8
/** Beyond the fan-in, when more are there. */
const moreInputs = 2
/** Of rows deleted, or of items relabelled. */
const rewriteShare = 0.2
export const largestMergeRows = 5_000_000
/**
 * Of the rows, in the input whose graph is kept. `bench merge`, 4000 x 64: .78, .57, .30 and .13 of the time of building anew with 30, 50, 75 and
 * 90 % kept, at the same recall; .87 with an eighth, which the tombstones are not worth.
 */
export const cloneShare = 0.3

const liveRows = ({ rows, deletedRows }: SegmentFacts): number => rows - deletedRows
export const sumRows = (segments: readonly SegmentFacts[]): number =>
  segments.reduce((sum, segment) => sum + liveRows(segment), 0)
const bySize = (a: SegmentFacts, b: SegmentFacts): number => liveRows(a) - liveRows(b)
const isWorn = ({ rows, items, deletedRows, relabelledItems }: SegmentFacts): boolean =>
  deletedRows >= rewriteShare * rows || relabelledItems >= rewriteShare * items

/** As many as a merge may have, the smallest first. */
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

/** Of the smallest size class with enough segments, or with as many as a merge may have: a row is copied once per class, not once per merge. */
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
    // Past half of the most, two results do not fit into one merge: it is the last that these rows are copied by.
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

/** undefined: nothing is due in this lane. */
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
  // Of a small form past the threshold: a single commit brought that many rows.
  const unsealed = sameConfig(sealed, compact)
    ? undefined
    : large.find((segment) => sameConfig(segment, compact) && liveRows(segment) >= threshold)
  if (unsealed !== undefined) return plan([unsealed], sealed)
  const worn = large.find(isWorn)
  if (worn !== undefined) return plan([worn], liveRows(worn) >= threshold ? sealed : compact)
  const many = crowdedOf(large)
  return many === undefined ? undefined : plan(many, sealed)
}
