// Changes of a collection in the model test: operations as they are accepted, commits that apply them, and the lessons
// of the plain model.
import type { CollectionWriter } from '@likeness/engine'
import type { Gallery } from '@likeness/engine/testing/gallery'
import type { CollectionOperation } from '@likeness/engine/testing/gallery-operations'
import type { TestItem } from '@likeness/engine/testing/test-items'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { isAppError } from '@likeness/shared/errors'
import type { Random } from '../simulation/random.ts'
import { demand } from './answers.ts'
import {
  drawChange,
  drawFilter,
  drawId,
  drawItem,
  drawItems,
  drawLabelFilter,
  type DrawnFilter,
  drawSnapshotName
} from './operations.ts'
import { PlainModel } from './plain-model.ts'

interface Accepted {
  ingestion: string
  revision: number
  items: TestItem[]
  isApplied: boolean
  /** True: a restore ended the ingestion before it was applied. */
  isEnded: boolean
}

export class Changes {
  readonly model = new PlainModel()
  writer: CollectionWriter
  private readonly gallery: Gallery
  private readonly random: Random
  /** Changes for the plain model when the log is applied. */
  private logged: (() => void)[] = []
  /** Expected results of operations by revision. They are applied and not compared yet. */
  private readonly outcomes = new Map<number, { items?: number; error?: string }>()
  private readonly accepted: Accepted[] = []
  /** Ingestions that are accepted and not embedded. */
  private late: Accepted[] = []
  /** Batches that are embedded and not applied. */
  private waiting: { key: string; accepted: Accepted }[] = []
  private lastBatch: Accepted | undefined
  /** Embedding of the last request. */
  private asked: EmbeddingSpec | undefined

  constructor(given: { gallery: Gallery; random: Random; writer: CollectionWriter }) {
    this.gallery = given.gallery
    this.random = given.random
    this.writer = given.writer
  }

  private async accept(items: TestItem[]): Promise<Accepted> {
    const accepted = {
      ...(await this.gallery.accept(items)),
      items,
      isApplied: false,
      isEnded: false
    }
    this.accepted.push(accepted)
    return accepted
  }

  private async embed(accepted: Accepted): Promise<void> {
    this.waiting.push({
      key: await this.gallery.embed(accepted.ingestion, accepted.items),
      accepted
    })
    this.lastBatch = accepted
  }

  async upsert(items = drawItems(this.random, 5)): Promise<void> {
    await this.embed(await this.accept(items))
    if (this.late.length > 0 && this.random.chance(0.1))
      await this.embed(this.late.splice(this.random.below(this.late.length), 1)[0]!)
  }

  async acceptLate(): Promise<void> {
    this.late.push(await this.accept(drawItems(this.random, 3)))
  }

  async embedAgain(): Promise<void> {
    if (this.lastBatch !== undefined) await this.embed(this.lastBatch)
  }

  async embedLate(): Promise<void> {
    for (const accepted of this.late.splice(0)) await this.embed(accepted)
  }

  private drawIds(): string[] {
    return [...new Set(Array.from({ length: 1 + this.random.below(3) }, () => drawId(this.random)))]
  }

  async remove(ids = this.drawIds()): Promise<void> {
    const revision = await this.gallery.remove(...ids)
    this.logged.push(() => ids.forEach((id) => this.model.remove(id, revision)))
  }

  async relabel(): Promise<void> {
    const ids = this.drawIds()
    const change = drawChange(this.random)
    const revision = await this.gallery.relabel(ids, change)
    this.logged.push(() => ids.forEach((id) => this.model.relabel(id, revision, change)))
  }

  /** `happens` changes the plain model and returns the expected result. */
  private async operate(
    operation: CollectionOperation,
    happens: (revision: number) => { items?: number; error?: string }
  ): Promise<void> {
    const revision = await this.gallery.operate(operation)
    this.logged.push(() => this.outcomes.set(revision, happens(revision)))
  }

  private removeWhere({ filter, keep }: DrawnFilter): Promise<void> {
    return this.operate({ kind: 'delete_where', filter }, (revision) => ({
      items: this.model.removeWhere(keep, revision)
    }))
  }

  removeLabel(): Promise<void> {
    return this.removeWhere(drawLabelFilter(this.random))
  }

  removeFiltered(): Promise<void> {
    return this.removeWhere(drawFilter(this.random))
  }

  takeSnapshot(): Promise<void> {
    const name = drawSnapshotName(this.random)
    return this.operate({ kind: 'take_snapshot', name }, (revision) => {
      if (this.model.snapshots.has(name)) return { error: 'snapshot_exists' }
      this.model.keep(name, revision)
      return {}
    })
  }

  dropSnapshot(): Promise<void> {
    const name = drawSnapshotName(this.random)
    return this.operate({ kind: 'drop_snapshot', name }, () =>
      this.model.snapshots.delete(name) ? {} : { error: 'snapshot_not_found' }
    )
  }

  /** Restores a snapshot that may be deleted, or replaced under its name, before the restore. */
  async restore(): Promise<void> {
    const name = drawSnapshotName(this.random)
    const {
      versions,
      spec: { collectionId }
    } = this.gallery
    const wanted = this.model.snapshots.get(name)
    const snapshot = await versions.findSnapshot(collectionId, name).catch((error: unknown) => {
      if (!isAppError(error, 'snapshot_not_found')) throw error
      return undefined
    })
    demand(
      snapshot?.revision === wanted?.revision,
      () =>
        `the snapshot ${name} is of revision ${snapshot?.revision}, and should be of ${wanted?.revision}`
    )
    if (snapshot === undefined) return
    await this.operate({ kind: 'restore', name, snapshot }, (revision) => {
      const kept = this.model.snapshots.get(name)
      if (kept === undefined || kept !== wanted) return { error: 'snapshot_not_found' }
      this.model.restore(kept, revision)
      for (const accepted of this.accepted)
        accepted.isEnded ||= !accepted.isApplied && accepted.revision < revision
      return { items: kept.items.size }
    })
  }

  async compact(): Promise<number> {
    return await this.gallery.operate({ kind: 'compact' })
  }

  /**
   * Requests an embedding with exactly the same vectors, so that all expected values stay. Sparse
   * collections have no raw vectors.
   */
  async askForEmbedding(): Promise<void> {
    const { embedding } = this.gallery.spec
    if (embedding.sparse) return
    this.asked = { ...embedding, version: `test@1/same@${this.random.below(4)}` }
    await this.gallery.operate({ kind: 'reproject', embedding: this.asked })
  }

  /** Applies log and batches, in any order, notified or listed; then updates the plain model. */
  async commit(): Promise<void> {
    const list = this.random.chance(0.4)
    let batches = list
      ? []
      : this.waiting.map(({ key }) => key).sort(() => this.random.next() - 0.5)
    for (let more = true, first = true; more; first = false) {
      const step = await this.writer.step({ batches, list: list && first })
      batches = []
      more = step.more
    }
    for (const learn of this.logged.splice(0)) learn()
    for (const { accepted } of this.waiting.splice(0)) this.learn(accepted)
    await this.checkOutcomes()
  }

  private learn(accepted: Accepted): void {
    accepted.isApplied = true
    accepted.items.forEach(({ id, label, metadata = {}, seeds = [], fails }, ordinal) => {
      if (fails === undefined)
        this.model.upsert(
          id,
          { revision: accepted.revision, ordinal },
          { label: label ?? null, metadata, seeds }
        )
    })
  }

  private async checkOutcomes(): Promise<void> {
    for (const [revision, { items, error }] of this.outcomes) {
      const is = await this.gallery.outcome(revision)
      demand(
        is !== undefined && is.items === items && is.error === error,
        () =>
          `the operation ${revision} is answered ${JSON.stringify(is)}, and should be ${JSON.stringify({ items, error })}`
      )
    }
    this.outcomes.clear()
  }

  /** Opens the next writer. The earlier writer notices at its next commit and has no effect. */
  async rival(): Promise<void> {
    const earlier = this.writer
    this.writer = await this.gallery.openWriter()
    const before = this.writer.seq
    await this.remove(['nobody'])
    try {
      await earlier.step({})
    } catch (error) {
      if (!isAppError(error, 'ownership_lost')) throw error
      return demand(this.writer.seq === before, () => 'a writer that was replaced has committed')
    }
    throw new Error('a writer that was replaced could commit')
  }

  async restart(): Promise<void> {
    this.writer = await this.gallery.openWriter()
  }

  async rebuild(): Promise<void> {
    await this.commit()
    this.writer = await this.gallery.rebuild()
  }

  /** Waits until all late batches are applied, and all requests are answered. */
  async settle(): Promise<void> {
    await this.embedLate()
    const compaction = await this.compact()
    await this.commit()
    while (await this.writer.reindex());
    const { version } = this.writer.spec.embedding
    demand(
      this.asked === undefined || version === this.asked.version,
      () => `the embedding is ${version}, and ${this.asked!.version} was asked for last`
    )
    while (await this.writer.merge());
    demand((await this.gallery.outcome(compaction)) !== undefined, () => 'a compaction has no end')
    await this.checkJobs()
  }

  /** Checks that each item has one result, for any number and any order of the item's batches. */
  private async checkJobs(): Promise<void> {
    for (const { ingestion, items, isEnded } of this.accepted) {
      const {
        state,
        counts: { indexed, superseded, failed, total }
      } = await this.gallery.jobs.status(ingestion)
      const failing = isEnded ? 0 : items.filter(({ fails }) => fails !== undefined).length
      const isWhole =
        failed === failing &&
        indexed + superseded + failed === items.length &&
        total === items.length
      demand(
        state === 'completed' && isWhole && !(isEnded && indexed > 0),
        () =>
          `job ${ingestion} of ${items.length} items, ${failing} of them bad${isEnded ? ', ended by a restore' : ''}, is ${state} with ${indexed} indexed, ${superseded} superseded and ${failed} failed`
      )
    }
  }

  /** Adds the first items: enough for a codebook of every storage. */
  async begin(count: number): Promise<void> {
    await this.upsert(Array.from({ length: count }, (_, i) => drawItem(this.random, `item-${i}`)))
    await this.commit()
    while (await this.writer.merge());
  }
}
