// Measures the owner of a collection: the time until it has taken the collection over, and the
// memory that it holds for each item.
// npm run bench -- owner [--items 200000] [--rounds 3] [--json]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clusteredVectors } from '../ann/clustered-vectors.ts'
import { createWrittenCollection } from '../engine/written-collection.ts'
import { median, round } from '../measure.ts'
import type { Owned, OwnerTask } from './owning-process.ts'

const { values: args } = parseArgs({
  options: {
    items: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false }
  }
})
const [items, rounds] = [Number(args.items), Number(args.rounds)]
/** An owner holds no vectors, so their number does not matter. */
const dim = 8
const itemsPerInsert = 50_000

async function own(task: OwnerTask): Promise<Owned> {
  const child = fork(fileURLToPath(new URL('owning-process.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx', '--expose-gc']
  })
  const exit = once(child, 'exit')
  child.send(task)
  const [answer] = (await Promise.race([once(child, 'message'), exit])) as [unknown]
  await exit
  if (typeof answer !== 'object' || answer === null) throw new Error(`the process ended: ${answer}`)
  return answer as Owned
}

const dir = await mkdtemp(join(tmpdir(), 'likeness-owner-'))
const [storeDir, cacheDir] = [join(dir, 'store'), join(dir, 'owner')]
try {
  const written = await createWrittenCollection({ storeDir, cacheDir, dim, method: 'FLAT' })
  for (let first = 0; first < items; first += itemsPerInsert) {
    const count = Math.min(itemsPerInsert, items - first)
    await written.insert({
      first,
      vectors: clusteredVectors({ seed: 1, stream: first, count, dim })
    })
  }
  await written.mergeAll()
  await written.close()
  const task = { storeDir, cacheDir, collectionId: written.spec.collectionId }
  const owned: Owned[] = []
  for (let round = 0; round < rounds; round++) owned.push(await own(task))
  const anItem = (of: (one: Owned) => number): number => round(median(owned.map(of)) / items, 1)
  const report = {
    items,
    rounds,
    openMs: round(median(owned.map(({ openMs }) => openMs)), 0),
    bytesReadAnItem: anItem(({ bytesRead }) => bytesRead),
    heapBytesAnItem: anItem(({ heapBytes }) => heapBytes),
    bufferBytesAnItem: anItem(({ bufferBytes }) => bufferBytes),
    residentBytesAnItem: anItem(({ residentBytes }) => residentBytes)
  }
  if (!args.json)
    console.log(
      `${items} items: owned after ${report.openMs} ms, ${report.bufferBytesAnItem} bytes an item in buffers, ${report.heapBytesAnItem} on the heap`
    )
  console.log(JSON.stringify(report))
} finally {
  await rm(dir, { recursive: true, force: true })
}
