// Embedded LanceDB: a table in a directory, its writer here and a reader in the other process.
import { join } from 'node:path'
import { timed } from '../measure.ts'
import { type LanceTable, loadArrow, loadLance, tableName } from './lancedb.ts'
import { idOf, labelOf, type Rows } from './rows.ts'
import type { IndexTrial, Side } from './side.ts'

const idsPerDeletion = 1000
const refineFactors = [2, 5, 10]
const mostEffort = 4096

export function toArrow({ first, vectors }: Rows, dim: number): unknown {
  const { makeData, makeVector, vectorFromArray, Table, Field, FixedSizeList, Float32, Utf8 } =
    loadArrow()
  const length = vectors.length / dim
  const values = makeData({ type: new Float32(), data: vectors })
  const type = new FixedSizeList(dim, new Field('item', new Float32(), true))
  const names = (of: (row: number) => string) =>
    vectorFromArray(
      Array.from({ length }, (_, i) => of(first + i)),
      new Utf8()
    )
  return new Table({
    id: names(idOf),
    label: names(labelOf),
    vector: makeVector(makeData({ type, length, child: values }))
  })
}

type Kind = 'hnswSq' | 'ivfFlat' | 'ivfPq'

/** Efforts of an index kind. A graph is searched whole, so its ef is tuned. Lists are probed. */
function effortsOf(kind: Kind, k: number): IndexTrial['efforts'] {
  const flat = { effort: (n: number) => ({ nprobes: n }), least: 1, most: mostEffort }
  if (kind === 'ivfFlat') return [flat]
  const tuned = (n: number): Record<string, number> =>
    kind === 'hnswSq' ? { ef: n } : { nprobes: n }
  return [1, ...refineFactors].map((refine) => ({
    effort: (n) => ({ ...tuned(n), refine }),
    least: kind === 'hnswSq' ? k * refine : 1,
    most: mostEffort
  }))
}

/** Graphs as wide as ours; lists as many as LanceDB's documentation advises. */
const indexOptions = (kind: Kind, rows: number) => ({
  distanceType: 'dot' as const,
  ...(kind === 'hnswSq'
    ? { m: 32, efConstruction: 100 }
    : { numPartitions: Math.max(1, Math.round(Math.sqrt(rows))) })
})

export async function openLanceSide({
  dir,
  dim,
  k,
  rows,
  kinds
}: {
  dir: string
  dim: number
  k: number
  rows: number
  kinds: readonly string[]
}): Promise<Side> {
  const { connect, Index } = loadLance()
  const connection = await connect(join(dir, 'lancedb'))
  let table: LanceTable | undefined
  return {
    name: 'lancedb',
    reader: { side: 'lancedb', dir: join(dir, 'lancedb') },
    async insert(added) {
      if (table === undefined) table = await connection.createTable(tableName, toArrow(added, dim))
      else await table.add(toArrow(added, dim))
    },
    async remove(removed) {
      for (let at = 0; at < removed.length; at += idsPerDeletion) {
        await table!.delete(
          `id IN (${removed
            .slice(at, at + idsPerDeletion)
            .map((row) => `'${idOf(row)}'`)
            .join(',')})`
        )
      }
    },
    async *indexes(only) {
      const compactMs = await timed(() => table!.optimize())
      for (const kind of (only === undefined ? kinds : [only]) as Kind[]) {
        const buildMs = await timed(() =>
          table!.createIndex('vector', {
            config: Index[kind](indexOptions(kind, rows)),
            replace: true
          })
        )
        yield { name: kind, buildMs: compactMs + buildMs, efforts: effortsOf(kind, k) }
      }
    },
    tidy: async () =>
      void (await table!.optimize({ cleanupOlderThan: new Date(), deleteUnverified: true })),
    async close() {
      table?.close()
      connection.close()
    }
  }
}
