// Runs random operations on a collection of one storage form, beside the plain model. Throws when
// the two differ.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cell, lossOf, vectorIn } from '@likeness/engine/testing/cells'
import { createGallery, type Gallery } from '@likeness/engine/testing/gallery'
import { type Protocol, verifyCollection } from '@likeness/engine/testing/internals'
import { dim } from '@likeness/engine/testing/test-items'
import type { ObjectStore } from '@likeness/store/object-store'
import { createRandom, type Random } from '../simulation/random.ts'
import { demand, type Recall } from './answers.ts'
import { Changes } from './changes.ts'
import { drawFilter, drawOperation, type OperationName } from './operations.ts'
import { Readings } from './readings.ts'

export interface CellOptions {
  cell: Cell
  seed: number
  operations: number
  store?: ObjectStore
  /** Wrong rules in place of the real rules. The test must detect them. */
  protocol?: Protocol
}
export interface CellResult {
  counts: Record<string, number>
  /** Share of the best k that all searches found. */
  recall: number
  /** Kinds of segments that were searched. */
  kinds: string[]
}

/** Low threshold, so that real sealed segments are created and removed all the time. */
const sealThreshold = 48
/** Number of items that is enough for a codebook of every storage. */
const firstItems = 320
/** Least number of wanted hits for a meaningful share. */
const leastJudged = 300

function operationsOn(
  cell: Cell,
  changes: Changes,
  readings: Readings,
  random: Random
): Record<OperationName, () => Promise<unknown>> {
  return {
    upsert: () => changes.upsert(),
    'late upsert': () => changes.acceptLate(),
    'batch again': () => changes.embedAgain(),
    delete: () => changes.remove(),
    'delete label': () => changes.removeLabel(),
    'delete filtered': () => changes.removeFiltered(),
    relabel: () => changes.relabel(),
    'take snapshot': () => changes.takeSnapshot(),
    'drop snapshot': () => changes.dropSnapshot(),
    restore: () => changes.restore(),
    search: () => readings.search(),
    'search filtered': () => readings.search({ drawn: drawFilter(random) }),
    'search grouped': () =>
      readings.search({
        groupBy: random.pick(['label', 'metadata.shop', 'metadata.n']),
        groupSize: 1 + random.below(3),
        ...(random.chance(0.3) && { drawn: drawFilter(random) })
      }),
    'search within a radius': () =>
      readings.search(cell.metric === 'hamming' ? { radius: random.below(dim / 2) } : {}),
    'get item': () => readings.getItem(),
    'get vectors': () => readings.getVectors(),
    scroll: () => readings.scroll(),
    commit: () => changes.commit(),
    merge: () => changes.writer.merge(),
    'merge beside commits': () => Promise.all([changes.writer.merge(), changes.commit()]),
    compact: () => changes.compact(),
    collect: () => changes.writer.collect(),
    'ask for an embedding': () => changes.askForEmbedding(),
    'make the embedding': () => changes.writer.reindex(),
    'make the embedding beside commits': () =>
      Promise.all([changes.writer.reindex(), changes.commit().then(() => changes.commit())]),
    'restart writer': () => changes.restart(),
    'rival writer': () => changes.rival(),
    'restart replica': () => readings.restartReplica(),
    rebuild: () => changes.rebuild()
  }
}

/**
 * Applies everything that is late. Then both replicas must have the newest version, every file in
 * the store must be undamaged, and the recall must be high enough.
 */
async function finish({
  cell,
  gallery,
  changes,
  readings,
  dir
}: {
  cell: Cell
  gallery: Gallery
  changes: Changes
  readings: Readings
  dir: string
}): Promise<void> {
  await changes.settle()
  await readings.scrollEach()
  const { problems } = await verifyCollection({
    store: gallery.store,
    collectionId: gallery.spec.collectionId,
    scratchDir: join(dir, 'verify')
  })
  demand(problems.length === 0, () => `verify finds ${JSON.stringify(problems.slice(0, 3))}`)
  const [, floor] = lossOf(cell)
  demand(
    readings.recall.wanted < leastJudged || shareOf(readings.recall) >= floor,
    () => `recall ${shareOf(readings.recall)}, below ${floor}`
  )
}

const shareOf = ({ found, wanted }: Recall): number => (wanted === 0 ? 1 : found / wanted)

export async function runCell({
  cell,
  seed,
  operations,
  store,
  protocol
}: CellOptions): Promise<CellResult> {
  const dir = await mkdtemp(join(tmpdir(), 'likeness-model-'))
  const gallery = await createGallery({
    ...cell,
    ...(!cell.sparse && { raw: 'bits' }),
    sealThreshold,
    store,
    protocol,
    vectorOf: (seed) => vectorIn(cell, seed)
  })
  const random = createRandom(seed)
  const changes = new Changes({ gallery, random, writer: await gallery.openWriter() })
  const readings = new Readings({ cell, gallery, random, model: changes.model, dir })
  const perform = operationsOn(cell, changes, readings, random)
  const counts: Record<string, number> = {}
  try {
    await changes.begin(firstItems)
    for (let done = 0; done < operations; done++) {
      const name = drawOperation(random)
      counts[name] = (counts[name] ?? 0) + 1
      try {
        await perform[name]()
      } catch (error) {
        throw new Error(
          `operation ${done + 1}, ${name}: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error }
        )
      }
    }
    await finish({ cell, gallery, changes, readings, dir })
    return { counts, recall: shareOf(readings.recall), kinds: [...readings.kinds].sort() }
  } finally {
    await readings.close()
    await gallery.close()
    await rm(dir, { recursive: true, force: true })
  }
}
