// Settings of one seed, drawn at its start.
import type { FoldShape, MergeShape, StateShape } from '@likeness/engine/testing/internals'
import type { Random } from './random.ts'

export interface Settings {
  hotIds: string[]
  retentionMs: number
  mergeShape: MergeShape
  stateShape: Partial<StateShape>
  foldShape: Partial<FoldShape>
  packBytes: number
  /** Whether all is folded and deleted as fast as can be. */
  foldsAll: boolean
  /** Bytes of the log that one step takes. */
  slotBytes: number
  mergeLimitMs: number
  method: 'FLAT' | 'IVF' | 'HNSW32'
  storage: 'f32' | 'sq8'
  indexWorkers: number
  apis: number
  drops: boolean
  /**
   * Share of ingestions with supplied vectors. After such an ingestion a collection keeps its
   * embedding.
   */
  givenShare: number
}

export function drawSettings(random: Random): Settings {
  const foldsAll = random.chance(0.3)
  return {
    foldsAll,
    hotIds: Array.from({ length: random.pick([3, 5, 8, 16, 80]) }, (_, i) => `item-${i}`),
    retentionMs: foldsAll ? 50 : random.pick([50, 400, 3_000]),
    mergeShape: { mostRows: random.pick([16, 32, 10_000]), fanIn: random.pick([2, 2, 3, 8]) },
    stateShape: {
      recentBytes: random.pick([0, 500, 2_000]),
      leastDeltaBytes: random.pick([0, 1_500]),
      partBytes: random.pick([300, 1_500]),
      fewLines: random.pick([0, 3]),
      jobsOfPage: random.pick([1, 3, 1_000])
    },
    foldShape: foldsAll
      ? { batches: 1, slots: 1 }
      : { batches: random.pick([1, 4, 20]), slots: random.pick([1, 10, 1_000]) },
    packBytes: random.pick([500, 100_000]),
    slotBytes: random.pick([1, 8 * 1024 * 1024]),
    mergeLimitMs: random.pick([1_000, 60_000]),
    method: random.pick(['FLAT', 'FLAT', 'IVF', 'HNSW32']),
    storage: random.pick(['f32', 'f32', 'sq8']),
    indexWorkers: 2 + random.below(2),
    apis: 2 + random.below(2),
    drops: random.chance(0.2),
    givenShare: random.pick([0, 0, 0.02, 0.2])
  }
}
