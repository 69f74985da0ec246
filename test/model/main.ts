// `npm run model-test -- [--ops N] [--seed S] [--cell NAME] [--store memory|dir] [--json]`: runs
// random operations on collections of every storage form and compares them with a plain model.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { type Cell, cells, nameOf } from '@likeness/engine/testing/cells'
import { openDirectoryStore } from '@likeness/store/directory-store'
import { runCell } from './run-cell.ts'

const { values } = parseArgs({
  options: {
    ops: { type: 'string', default: '20000' },
    seed: { type: 'string' },
    cell: { type: 'string' },
    store: { type: 'string', default: 'memory' },
    json: { type: 'boolean', default: false }
  }
})
const settings = z
  .object({
    ops: z.coerce.number().int().min(1),
    seed: z.coerce
      .number()
      .int()
      .default(() => Date.now() % 1_000_000),
    cell: z.string().optional(),
    store: z.enum(['memory', 'dir']),
    json: z.boolean()
  })
  .parse(values)
const chosen = cells
  .map((cell, at) => ({ cell, at }))
  .filter(({ cell }) => settings.cell === undefined || nameOf(cell) === settings.cell)
if (chosen.length === 0)
  throw new Error(`no cell is called ${settings.cell}; they are:\n${cells.map(nameOf).join('\n')}`)
const operations = Math.ceil(settings.ops / chosen.length)

async function run(cell: Cell, at: number): Promise<Awaited<ReturnType<typeof runCell>>> {
  const seed = settings.seed + 1_000_003 * at
  if (settings.store === 'memory') return await runCell({ cell, seed, operations })
  const root = await mkdtemp(join(tmpdir(), 'likeness-model-store-'))
  const store = await openDirectoryStore({ root })
  try {
    return await runCell({ cell, seed, operations, store })
  } finally {
    await store.close()
    await rm(root, { recursive: true, force: true })
  }
}

const counts: Record<string, number> = {}
let failed = 0
console.log(`seed ${settings.seed}: ${operations} operations on each of ${chosen.length} forms`)
for (const { cell, at } of chosen) {
  const startedMs = performance.now()
  try {
    const result = await run(cell, at)
    for (const [name, count] of Object.entries(result.counts))
      counts[name] = (counts[name] ?? 0) + count
    console.log(
      `${nameOf(cell).padEnd(40)} recall ${result.recall.toFixed(4)}  ${result.kinds.join(' ').padEnd(10)} ${((performance.now() - startedMs) / 1000).toFixed(1)} s`
    )
  } catch (error) {
    failed++
    const store = settings.store === 'memory' ? '' : ` --store ${settings.store}`
    console.log(
      `${nameOf(cell)}: ${error instanceof Error ? error.stack : String(error)}\n  again: npm run model-test -- --cell '${nameOf(cell)}' --seed ${settings.seed} --ops ${operations}${store}`
    )
  }
}
const done = Object.values(counts).reduce((sum, count) => sum + count, 0)
for (const [name, count] of Object.entries(counts).sort(([, a], [, b]) => b - a))
  console.log(`${name.padEnd(24)} ${count}`)
if (settings.json)
  console.log(
    JSON.stringify({ operations: done, forms: chosen.length, failed, seed: settings.seed })
  )
process.exitCode = failed === 0 ? 0 : 1
