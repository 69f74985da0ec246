// Readers of a collection in the model test: two replicas. Every answer is compared with the plain
// model.
import { join } from 'node:path'
import { type CollectionReader, createReplica, type Replica } from '@likeness/engine'
import type { Cell } from '@likeness/engine/testing/cells'
import type { Gallery } from '@likeness/engine/testing/gallery'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import type { Random } from '../simulation/random.ts'
import {
  type Asked,
  checkHits,
  checkStored,
  checkVectors,
  demand,
  queryOf,
  type Recall
} from './answers.ts'
import { drawId, type DrawnFilter, drawSeed } from './operations.ts'
import type { PlainModel } from './plain-model.ts'

export class Readings {
  readonly recall: Recall = { found: 0, wanted: 0 }
  /** Kinds of the segments that were read. */
  readonly kinds = new Set<string>()
  private readonly replicas: Replica[]
  private replicaCount = 0
  private readonly cell: Cell
  private readonly gallery: Gallery
  private readonly random: Random
  private readonly model: PlainModel
  private readonly dir: string

  constructor(given: {
    cell: Cell
    gallery: Gallery
    random: Random
    model: PlainModel
    dir: string
  }) {
    this.cell = given.cell
    this.gallery = given.gallery
    this.random = given.random
    this.model = given.model
    this.dir = given.dir
    this.replicas = [this.openReplica(), this.openReplica()]
  }

  private openReplica(): Replica {
    return createReplica({
      store: this.gallery.store,
      clock: systemClock,
      logger: silentLogger(),
      cacheDir: join(this.dir, `replica-${this.replicaCount++}`),
      pollMs: 60_000
    })
  }

  async restartReplica(): Promise<void> {
    const at = this.random.below(this.replicas.length)
    await this.replicas[at]!.close()
    this.replicas[at] = this.openReplica()
  }

  private async read(
    use: (reader: CollectionReader) => Promise<void>,
    replica = this.random.pick(this.replicas)
  ): Promise<void> {
    const reader = await replica.acquire(this.gallery.spec.collectionId, {
      consistency: 'strong',
      timeoutMs: 60_000
    })
    for (const { index } of reader.segments) this.kinds.add(index)
    try {
      await use(reader)
    } finally {
      reader.release()
    }
  }

  search({
    drawn,
    ...more
  }: { drawn?: DrawnFilter } & Pick<
    Asked,
    'groupBy' | 'groupSize' | 'radius'
  > = {}): Promise<void> {
    const asked: Asked = {
      seed: drawSeed(this.random),
      k: 1 + this.random.below(20),
      keep: drawn?.keep ?? (() => true),
      ...more
    }
    return this.read(async (reader) => {
      const hits = (await reader.search(queryOf(this.cell, asked, drawn?.filter)))[0]!
      checkHits(this.cell, this.model.items, { asked, hits }, this.recall)
    })
  }

  getItem(): Promise<void> {
    return this.read(async (reader) => {
      const id = drawId(this.random)
      checkStored(id, await reader.getItem(id), this.model.items.get(id))
    })
  }

  getVectors(): Promise<void> {
    return this.read(async (reader) => {
      const id = drawId(this.random)
      const [vectors, expected] = [await reader.getVectors(id), this.model.items.get(id)]
      demand(
        (vectors === undefined) === (expected === undefined),
        () => `${id} has ${vectors === undefined ? 'no' : 'its'} vectors`
      )
      if (vectors !== undefined) checkVectors(this.cell, id, vectors, expected!)
    })
  }

  scroll(replica?: Replica): Promise<void> {
    return this.read(async (reader) => {
      const seen = new Set<string>()
      for await (const { item, vectors } of reader.scrollVectors()) {
        demand(!seen.has(item.id), () => `${item.id} is there twice`)
        seen.add(item.id)
        checkStored(item.id, item, this.model.items.get(item.id))
        checkVectors(this.cell, item.id, vectors, this.model.items.get(item.id)!)
      }
      for (const id of this.model.items.keys()) demand(seen.has(id), () => `${id} is lost`)
      demand(
        reader.counts.items === seen.size,
        () => `${reader.counts.items} items are counted, ${seen.size} are there`
      )
    }, replica)
  }

  async scrollEach(): Promise<void> {
    for (const replica of this.replicas) await this.scroll(replica)
  }

  async close(): Promise<void> {
    for (const replica of this.replicas) await replica.close()
  }
}
