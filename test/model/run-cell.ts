// Random operations on a collection of one form, beside the plain model; throws when the two differ.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReplica } from '@likeness/engine'
import type { CollectionWriter, Replica, Snapshot } from '@likeness/engine'
import type { Protocol } from '@likeness/engine/protocol'
import { lossOf } from '@likeness/engine/test-support/cells'
import type { Cell } from '@likeness/engine/test-support/cells'
import { createGallery, dim } from '@likeness/engine/test-support/gallery'
import type { Gallery, TestItem } from '@likeness/engine/test-support/gallery'
import { verifyCollection } from '@likeness/engine/verify'
import { systemClock } from '@likeness/shared/clock'
import { isAppError } from '@likeness/shared/errors'
import { silentLog } from '@likeness/shared/log'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { createRandom } from '../simulation/random.ts'
import type { Random } from '../simulation/random.ts'
import { checkHits, checkStored, checkVectors, demand, queryOf } from './answers.ts'
import type { Asked, Recall } from './answers.ts'
import { drawChange, drawFilter, drawId, drawItem, drawOperation, drawSeed } from './operations.ts'
import type { DrawnFilter, OperationName } from './operations.ts'
import { PlainModel } from './plain-model.ts'

export interface CellOptions {
  cell: Cell
  seed: number
  operations: number
  store?: ObjectStore
  /** Other rules than the real ones, to see that they are missed. */
  protocol?: Protocol
}
export interface CellResult {
  counts: Record<string, number>
  /** Share of the best k that all searches found. */
  recall: number
  /** Kinds of segments that were searched. */
  kinds: string[]
}

/** So that sealed segments of the real kind come and go all the time. */
const sealThreshold = 48
/** Enough for a codebook of every storage. */
const firstItems = 320
/** Below this a share says little. */
const leastJudged = 300

interface Accepted {
  ingestion: string
  revision: number
  items: TestItem[]
}

class CellRun {
  readonly counts: Record<string, number> = {}
  readonly recall: Recall = { found: 0, wanted: 0 }
  readonly kinds = new Set<string>()
  private readonly model = new PlainModel()
  /** What the plain model learns when the log is applied. */
  private logged: (() => void)[] = []
  private readonly accepted: Accepted[] = []
  /** Accepted and not embedded. */
  private late: Accepted[] = []
  /** Embedded and not applied. */
  private waiting: { key: string; accepted: Accepted }[] = []
  private lastBatch: Accepted | undefined
  private replicas: Replica[] = []
  private replicaCount = 0

  private readonly cell: Cell
  private readonly random: Random
  private readonly gallery: Gallery
  private readonly dir: string
  private writer: CollectionWriter

  constructor(given: { cell: Cell; random: Random; gallery: Gallery; dir: string; writer: CollectionWriter }) {
    this.cell = given.cell
    this.random = given.random
    this.gallery = given.gallery
    this.dir = given.dir
    this.writer = given.writer
    this.replicas = [this.openReplica(), this.openReplica()]
  }

  private openReplica(): Replica {
    return createReplica({ store: this.gallery.store, clock: systemClock, log: silentLog(), cacheDir: join(this.dir, `replica-${this.replicaCount++}`), pollMs: 60_000 })
  }

  private readonly operations: Record<OperationName, () => Promise<void>> = {
    upsert: () => this.upsert(Array.from({ length: 1 + this.random.below(5) }, () => drawItem(this.random))),
    'late upsert': async () => {
      const items = Array.from({ length: 1 + this.random.below(3) }, () => drawItem(this.random))
      this.late.push(await this.accept(items))
    },
    'batch again': async () => {
      if (this.lastBatch !== undefined) await this.embed(this.lastBatch)
    },
    delete: async () => {
      const ids = [...new Set(Array.from({ length: 1 + this.random.below(3) }, () => drawId(this.random)))]
      const revision = await this.gallery.remove(...ids)
      this.logged.push(() => ids.forEach((id) => this.model.remove(id, revision)))
    },
    relabel: async () => {
      const ids = [...new Set(Array.from({ length: 1 + this.random.below(3) }, () => drawId(this.random)))]
      const change = drawChange(this.random)
      const revision = await this.gallery.relabel(ids, change)
      this.logged.push(() => ids.forEach((id) => this.model.relabel(id, revision, change)))
    },
    search: () => this.search({}),
    'search filtered': () => this.search({ drawn: drawFilter(this.random) }),
    'search grouped': () => this.search({
      groupBy: this.random.pick(['label', 'metadata.shop', 'metadata.n']), groupSize: 1 + this.random.below(3),
      ...(this.random.chance(0.3) && { drawn: drawFilter(this.random) })
    }),
    'search within a radius': () => this.search(this.cell.metric === 'hamming' ? { radius: this.random.below(dim / 2) } : {}),
    'get item': () => this.read(async (snapshot) => {
      const id = drawId(this.random)
      checkStored(id, await snapshot.getItem(id), this.model.items.get(id))
    }),
    'get vectors': () => this.read(async (snapshot) => {
      const id = drawId(this.random)
      const [vectors, expected] = [await snapshot.getVectors(id), this.model.items.get(id)]
      demand((vectors === undefined) === (expected === undefined), () => `${id} has ${vectors === undefined ? 'no' : 'its'} vectors`)
      if (vectors !== undefined) checkVectors(this.cell, id, vectors, expected!)
    }),
    scroll: () => this.scroll(),
    commit: () => this.commit(),
    merge: async () => void (await this.writer.merge()),
    'merge beside commits': async () => void (await Promise.all([this.writer.merge(), this.commit()])),
    collect: async () => void (await this.writer.collect()),
    'restart writer': async () => void (this.writer = await this.gallery.openWriter()),
    'rival writer': () => this.rival(),
    'restart replica': async () => {
      const at = this.random.below(this.replicas.length)
      await this.replicas[at]!.close()
      this.replicas[at] = this.openReplica()
    },
    rebuild: async () => {
      await this.commit()
      this.writer = await this.gallery.rebuild()
    }
  }

  async run(operations: number): Promise<void> {
    await this.upsert(Array.from({ length: firstItems }, (_, i) => drawItem(this.random, `item-${i}`)))
    await this.commit()
    while (await this.writer.merge());
    for (let done = 0; done < operations; done++) {
      const name = drawOperation(this.random)
      this.counts[name] = (this.counts[name] ?? 0) + 1
      try {
        await this.operations[name]()
      } catch (error) {
        throw new Error(`operation ${done + 1}, ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }
    }
    await this.finish()
  }

  /** All that is late comes in; both replicas hold it, and every file in the store is sound. */
  private async finish(): Promise<void> {
    for (const accepted of this.late.splice(0)) await this.embed(accepted)
    await this.commit()
    while (await this.writer.merge());
    for (const replica of this.replicas) await this.scroll(replica)
    await this.checkJobs()
    const { problems } = await verifyCollection({ store: this.gallery.store, incarnation: this.gallery.spec.incarnation, scratchDir: join(this.dir, 'verify') })
    demand(problems.length === 0, () => `verify finds ${JSON.stringify(problems.slice(0, 3))}`)
    const [, floor] = lossOf(this.cell)
    const { found, wanted } = this.recall
    demand(wanted < leastJudged || found / wanted >= floor, () => `recall ${found / wanted}, below ${floor}`)
  }

  private async accept(items: TestItem[]): Promise<Accepted> {
    const accepted = { ...(await this.gallery.accept(items)), items }
    this.accepted.push(accepted)
    return accepted
  }

  /** Each item of each ingestion has had one outcome, however often and in whatever order its batches came. */
  private async checkJobs(): Promise<void> {
    for (const { ingestion, items } of this.accepted) {
      const { state, counts: { indexed, superseded, failed, total } } = await this.gallery.jobs.status(ingestion)
      const failing = items.filter(({ fails }) => fails !== undefined).length
      demand(state === 'completed' && failed === failing && indexed + superseded + failed === items.length && total === items.length,
        () => `job ${ingestion} of ${items.length} items, ${failing} of them bad, is ${state} with ${indexed} indexed, ${superseded} superseded and ${failed} failed`)
    }
  }

  private async embed(accepted: Accepted): Promise<void> {
    this.waiting.push({ key: await this.gallery.embed(accepted.ingestion, accepted.items), accepted })
    this.lastBatch = accepted
  }

  private async upsert(items: TestItem[]): Promise<void> {
    await this.embed(await this.accept(items))
    if (this.late.length > 0 && this.random.chance(0.1)) await this.embed(this.late.splice(this.random.below(this.late.length), 1)[0]!)
  }

  /** Log and batches are applied, the batches in any order, told of or found; then the plain model knows them too. */
  private async commit(): Promise<void> {
    const list = this.random.chance(0.4)
    let batches = list ? [] : this.waiting.map(({ key }) => key).sort(() => this.random.next() - 0.5)
    for (let more = true, first = true; more; first = false) {
      const step = await this.writer.step({ batches, list: list && first })
      batches = step.rest
      more = step.more
    }
    for (const learn of this.logged.splice(0)) learn()
    for (const { accepted: { revision, items } } of this.waiting.splice(0)) {
      items.forEach(({ id, label, metadata = {}, seeds = [], fails }, ordinal) => {
        if (fails === undefined) this.model.upsert(id, { revision, ordinal }, { label: label ?? null, metadata, seeds })
      })
    }
  }

  /** Whoever comes later owns the collection; the earlier one finds that out at its next commit and changes nothing. */
  private async rival(): Promise<void> {
    const earlier = this.writer
    this.writer = await this.gallery.openWriter()
    const before = this.writer.seq
    const revision = await this.gallery.remove('nobody')
    this.logged.push(() => this.model.remove('nobody', revision))
    try {
      await earlier.step({})
    } catch (error) {
      if (!isAppError(error, 'ownership_lost')) throw error
      return demand(this.writer.seq === before, () => 'a writer that was replaced has committed')
    }
    throw new Error('a writer that was replaced could commit')
  }

  private async read(use: (snapshot: Snapshot) => Promise<void>, replica = this.random.pick(this.replicas)): Promise<void> {
    const snapshot = await replica.acquire(this.gallery.spec.incarnation, { consistency: 'strong', timeoutMs: 60_000 })
    for (const { index } of snapshot.segments) this.kinds.add(index)
    try {
      await use(snapshot)
    } finally {
      snapshot.release()
    }
  }

  private search({ drawn, ...more }: { drawn?: DrawnFilter } & Pick<Asked, 'groupBy' | 'groupSize' | 'radius'>): Promise<void> {
    const asked: Asked = { seed: drawSeed(this.random), k: 1 + this.random.below(20), keep: drawn?.keep ?? (() => true), ...more }
    return this.read(async (snapshot) => {
      const hits = (await snapshot.search(queryOf(asked, drawn?.filter)))[0]!
      checkHits(this.cell, this.model.items, asked, hits, this.recall)
    })
  }

  private scroll(replica?: Replica): Promise<void> {
    return this.read(async (snapshot) => {
      const seen = new Set<string>()
      for await (const { item, vectors } of snapshot.scrollVectors()) {
        demand(!seen.has(item.id), () => `${item.id} is there twice`)
        seen.add(item.id)
        checkStored(item.id, item, this.model.items.get(item.id))
        checkVectors(this.cell, item.id, vectors, this.model.items.get(item.id)!)
      }
      for (const id of this.model.items.keys()) demand(seen.has(id), () => `${id} is lost`)
      demand(snapshot.counts.items === seen.size, () => `${snapshot.counts.items} items are counted, ${seen.size} are there`)
    }, replica)
  }

  async close(): Promise<void> {
    for (const replica of this.replicas) await replica.close()
  }
}

export async function runCell({ cell, seed, operations, store, protocol }: CellOptions): Promise<CellResult> {
  const dir = await mkdtemp(join(tmpdir(), 'likeness-model-'))
  const gallery = await createGallery({ ...cell, sealThreshold, store, protocol })
  const run = new CellRun({ cell, random: createRandom(seed), gallery, dir, writer: await gallery.openWriter() })
  try {
    await run.run(operations)
    const { found, wanted } = run.recall
    return { counts: run.counts, recall: wanted === 0 ? 1 : found / wanted, kinds: [...run.kinds].sort() }
  } finally {
    await run.close()
    await gallery.close()
    await rm(dir, { recursive: true, force: true })
  }
}
