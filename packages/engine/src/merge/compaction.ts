// Compaction on request. Among the segments that exist at that time, those with deletions or
// payload updates are written again, and small ones become one.
import { isSmall, sealedConfig, sealRows, smallConfig } from '../vector-index/segment-config.ts'
import {
  fitting,
  largestMergeRows,
  type MergePlan,
  type PlanInput,
  sumRows,
  wayTo
} from './merge-plan.ts'

export interface Compaction {
  /** Revision of the operation that requested the compaction. */
  revision: number
  /** Ids of the segments that existed when this writer began the compaction. */
  segments?: ReadonlySet<string>
}

/**
 * Returns undefined when there is no compaction, or when no segment of this tier is left to
 * compact.
 */
export function planCompaction(
  { spec, segments, quantizer, busy, tier, shape }: PlanInput,
  compaction: Compaction | null
): MergePlan | undefined {
  if (compaction === null) return undefined
  const asked = (compaction.segments ??= new Set(segments.map(({ id }) => id)))
  const most = Math.min(largestMergeRows, shape.mostRows)
  const left = segments.filter(
    (segment) =>
      asked.has(segment.id) &&
      !busy.has(segment.id) &&
      segment.rows <= most &&
      isSmall(spec, segment) === (tier === 'small')
  )
  const touched = left.filter(
    ({ deletedRows, relabelledItems }) => deletedRows > 0 || relabelledItems > 0
  )
  const inputs = tier === 'small' && left.length > 1 ? fitting(left, most) : touched.slice(0, 1)
  if (inputs.length === 0) return undefined
  const config = sumRows(inputs) >= sealRows(spec) ? sealedConfig(spec) : smallConfig(spec)
  // A kept graph would keep its deleted rows too.
  const way = config.index === 'hnsw' ? 'build' : wayTo(config, inputs, quantizer)
  return {
    tier,
    inputs: inputs.map(({ id }) => id),
    config,
    way,
    liveRows: sumRows(segments),
    retrain: false
  }
}
