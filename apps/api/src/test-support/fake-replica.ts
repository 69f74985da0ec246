// A replica over items that a test adds. The search is exact, by inner product. The test sets the
// slot.
import type {
  CollectionReader,
  Hit,
  OperationResult,
  ReadOptions,
  Replica,
  SearchQuery,
  StoredItem
} from '@likeness/engine/contract'
import type { Calibration } from '@likeness/shared/confidence/calibration'
import { nearestItems } from '@likeness/shared/confidence/evidence'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { labelKey, nearLabels } from '@likeness/shared/contract/margin'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'

export interface FakeItem extends Partial<StoredItem> {
  id: string
  /** A vector for each row. */
  vectors: number[][]
}

export interface FakeReplica extends Replica {
  /** Items of every collection. */
  items: FakeItem[]
  seq: number
  appliedSlot: number
  /** True: an older ingestion is not finished. */
  awaited: boolean
  /** The result of every operation. */
  result: OperationResult | undefined
  askedOptions: ReadOptions[]
  /** Queries that the collection readers received. */
  queries: SearchQuery[]
  calibration: Calibration | null
  /** Number of collection readers that are not released. */
  open: number
  notifications: { collectionId: string; seq: number }[]
  /** Changes the spec that the collection reader reports. */
  spec?: Partial<CollectionSpec>
}

const box: [number, number, number, number] = [0, 0, 10, 10]

function stored({ id, vectors, ...rest }: FakeItem): StoredItem {
  const rows = vectors.map((_, i) => ({
    kind: i === 0 ? ('subject' as const) : ('view' as const),
    box,
    score: 1,
    className: 'logo'
  }))
  return {
    id,
    label: null,
    metadata: {},
    imageKey: null,
    width: 10,
    height: 10,
    revision: 1024,
    rows,
    ...rest
  }
}

const dot = (a: readonly number[], b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0)

function searchOne(
  items: readonly FakeItem[],
  vector: Float32Array,
  k: number,
  threshold: number
): Hit[] {
  const hits = items.map((item): Hit => {
    const scores = item.vectors.map((row) => dot(row, vector))
    const score = Math.max(...scores)
    return { item: stored(item), row: scores.indexOf(score), score, distance: score }
  })
  return hits
    .filter(({ score }) => score >= threshold)
    .sort((a, b) => b.score - a.score)
    .slice(0, k)
}

export function createFakeReplica(
  specOf: (collectionId: string) => Promise<CollectionSpec>
): FakeReplica {
  const snapshotOf = (spec: CollectionSpec): CollectionReader => {
    replica.open++
    const find = (id: string) => replica.items.find((item) => item.id === id)
    return {
      seq: replica.seq,
      calibration: replica.calibration,
      appliedSlot: replica.appliedSlot,
      spec,
      counts: {
        items: replica.items.length,
        rows: replica.items.flatMap(({ vectors }) => vectors).length
      },
      segments: [],
      awaits: () => replica.awaited,
      resultOf: () => replica.result,
      async search(query) {
        replica.queries.push(query)
        const { k, scoreThres } = query
        const vectors = denseRows(query.vectors)
        const { dim } = spec.embedding
        const threshold = scoreThres ?? spec.settings.score_thres ?? -Infinity
        return Array.from({ length: vectors.length / dim }, (_, i) =>
          searchOne(replica.items, vectors.subarray(i * dim, (i + 1) * dim), k, threshold)
        )
      },
      async searchAround(query, { except }) {
        const lists = await this.search(query)
        const vectors = denseRows(query.vectors)
        const { dim } = spec.embedding
        const kept = replica.items.filter(({ id }) => !except.has(id))
        return lists.map((hits, i) => {
          const all = searchOne(
            kept,
            vectors.subarray(i * dim, (i + 1) * dim),
            Infinity,
            -Infinity
          ).map(({ item: { id, label }, score }) => ({ id, label, score }))
          const nearest = all.slice(0, nearestItems).map(labelKey)
          return { hits, around: { nearest, labels: nearLabels(all) } }
        })
      },
      countLabel: async (label) => replica.items.filter((item) => item.label === label).length,
      getItem: async (id) => {
        const item = find(id)
        return item && stored(item)
      },
      getVectors: async (id) => {
        const item = find(id)
        return item && Float32Array.from(item.vectors.flat())
      },
      getRow: async (id, row) => {
        const vector = find(id)?.vectors[row]
        return vector && Float32Array.from(vector)
      },
      async *scroll() {
        yield* replica.items.map(stored)
      },
      async *scrollVectors({ most } = {}) {
        for (const item of replica.items.slice(0, most))
          yield { item: stored(item), vectors: Float32Array.from(item.vectors.flat()) }
      },
      release: () => void replica.open--
    }
  }
  const replica: FakeReplica = {
    items: [],
    seq: 1,
    appliedSlot: Number.MAX_SAFE_INTEGER,
    awaited: false,
    result: undefined,
    askedOptions: [],
    queries: [],
    calibration: null,
    open: 0,
    notifications: [],
    async acquire(collectionId, options) {
      replica.askedOptions.push(options)
      if ((options.minSeq ?? 0) > replica.seq || (options.minSlot ?? 0) > replica.appliedSlot)
        throw appError('not_fresh', 'behind')
      return snapshotOf({ ...(await specOf(collectionId)), ...replica.spec })
    },
    notify: (collectionId, seq) => void replica.notifications.push({ collectionId, seq }),
    check: () => undefined,
    warm: async () => undefined,
    warming: () => [],
    status: () => [],
    async close() {}
  }
  return replica
}
