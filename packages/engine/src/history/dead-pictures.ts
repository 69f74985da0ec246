// Finds the pictures that no version needs any more: those of arrivals that neither the version nor a
// snapshot has since this fold, and those of ingestions that a cancel or a restore has ended. Two arrivals may have one picture,
// as when a chunk was embedded twice. So a picture counts as dead only where no pack has it.
import { orderOfImage, type CollectionKeys } from '@likeness/shared/contract/keys'
import { retryStore } from '@likeness/store/retry-store'
import type { Base, PackRef } from '../base/base.ts'
import { clockSlackMs } from '../base/known-operations.ts'
import { readBlock, readDirectory } from '../base/pack.ts'
import {
  type ArrivalPicture,
  decodePackPictures,
  encodeDeadPictures,
  type PackPictures,
  pictureName
} from '../base/picture-names.ts'
import { lowerBound } from '../columns/column.ts'
import { KeyPages, keysPerPage } from '../log/key-pages.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { FileRef } from '../state/file-ref.ts'
import { decodePage, type IngestionRecord } from '../state/job-record.ts'
import { readPart, type StateContent, unlessLost } from '../state/read-state.ts'
import type { ArrivalSet } from './arrival-set.ts'
import { heldArrivals } from './held-arrivals.ts'
import { arrivalsOfBlock } from './pack-arrivals.ts'

/** Names that are compared with the packs at once. As many are in memory. */
const namesAtOnce = 200_000
/** Loose arrivals of one fold whose pictures are looked at. Those of more stay. */
const mostLoose = 1_000_000
const namesPerPart = 100_000

export interface Fate {
  previous: Base | null
  /** State lines of the version. */
  content: StateContent
  /** All packs of the new base. */
  packs: readonly PackRef[]
  /** Arrivals that the version or a snapshot has. */
  kept: ArrivalSet
  /** Revision of the last restore. */
  restored: number
}
interface Deps extends WorkSource {
  files: SegmentFiles
}

export class DeadPictures {
  private readonly deps: Deps
  private readonly foldId: string
  private readonly loose = new Set<string>()
  private readonly parts: FileRef[] = []
  private dead: string[] = []

  constructor(deps: Deps, foldId: string) {
    this.deps = deps
    this.foldId = foldId
  }

  private get keys(): CollectionKeys {
    return this.deps.keys
  }

  /** A loose arrival is in no pack, and will not be. */
  see(imageKey: string | null): void {
    const name = pictureName(this.keys.imagePrefix, imageKey)
    if (name !== undefined && this.loose.size < mostLoose) this.loose.add(name)
  }

  /** Returns the lists of names: new ones, and those of before that are not deleted yet. */
  async write(fate: Fate): Promise<FileRef[]> {
    let names = new Set<string>()
    for await (const some of this.candidates(fate)) {
      for (const name of some) names.add(name)
      if (names.size < namesAtOnce) continue
      await this.judge(names, fate)
      names = new Set()
    }
    await this.judge(names, fate)
    await this.endPart()
    const left: FileRef[] = []
    for (const part of fate.previous?.deadPictures ?? [])
      if ((await this.tried(() => this.deps.store.head(part.key))) !== undefined) left.push(part)
    return [...left, ...this.parts]
  }

  private async *candidates(fate: Fate): AsyncGenerator<Iterable<string>> {
    yield this.loose
    yield* this.newlyDead(fate)
    for (const { ingestion } of await this.broken(fate))
      for (const prefix of this.keys.imagePrefixes(ingestion)) yield* this.listed(prefix)
  }

  /** Pictures of arrivals that the base before had, and that are dead by now. */
  private async *newlyDead({ previous, kept }: Fate): AsyncGenerator<string[]> {
    if (previous === null) return
    const had = await heldArrivals(previous, (file) => this.deps.files.get(file))
    for (const pack of previous.packs) {
      const { first, last } = pack
      if (had.countBetween(first, last) === kept.countBetween(first, last)) continue
      const pictures = (await this.picturesOf(pack)) ?? []
      yield pictures.flatMap(({ arrival, name }) =>
        had.has(arrival) && !kept.has(arrival) ? [name] : []
      )
    }
  }

  /** Ingestions that a cancel or a restore has ended since the base before. */
  private async broken({ previous, content, restored }: Fate): Promise<IngestionRecord[]> {
    const { seq = 0, createdAtMs = 0, restored: before = 0 } = previous ?? {}
    const isRestored = restored > before
    const records = [...content.of('job').values()]
    for (const { cancelled, endedAtMs, file } of content.of('page').values())
      if ((cancelled > 0 || isRestored) && endedAtMs >= createdAtMs - clockSlackMs)
        records.push(...decodePage(file.key, await this.deps.files.get(file)))
    return records.filter(
      ({ cancelled, superseded, revision, completedSeq }) =>
        (completedSeq ?? 0) > seq &&
        (cancelled !== undefined || (isRestored && superseded > 0 && revision < restored))
    )
  }

  private async *listed(prefix: string): AsyncGenerator<string[]> {
    const { imagePrefix } = this.keys
    const pages = new KeyPages(this.deps, prefix, '')
    for (let keys = await pages.next(); ; keys = await pages.next()) {
      yield keys.flatMap((key) => pictureName(imagePrefix, key) ?? [])
      if (keys.length < keysPerPage) return
    }
  }

  /** Notes the names that no pack has. */
  private async judge(names: Set<string>, { packs, kept }: Fate): Promise<void> {
    const orders = [...names].map((name) => orderOfImage(name)!).sort()
    for (const pack of packs) {
      if (pack.pictures === null || names.size === 0) continue
      const { from, to } = pack.pictures ?? { from: '', to: '~' }
      const first = orders[lowerBound(orders.length, (i) => orders[i]! < from)]
      if (first === undefined || first > to) continue
      const pictures = await this.picturesOf(pack)
      if (pictures === undefined) {
        // Nobody knows what it has.
        for (const name of names) if (isBetween(orderOfImage(name)!, from, to)) names.delete(name)
      } else for (const { arrival, name } of pictures) if (kept.has(arrival)) names.delete(name)
    }
    for (const name of names) {
      this.dead.push(name)
      if (this.dead.length === namesPerPart) await this.endPart()
    }
  }

  private async endPart(): Promise<void> {
    if (this.dead.length === 0) return
    const key = this.keys.deadPictures(this.foldId, this.parts.length)
    this.parts.push(await this.deps.files.put(key, encodeDeadPictures(this.dead)))
    this.dead = []
  }

  /** From its list, or from its items where that is damaged; undefined: they are damaged too. */
  private async picturesOf(pack: PackRef): Promise<ArrivalPicture[] | undefined> {
    const { pictures } = pack
    if (pictures === null) return []
    const listed = pictures && (await unlessLost(() => this.picturesOfList(pictures)))
    return listed ?? (await unlessLost(() => this.tried(() => this.picturesOfItems(pack))))
  }

  private async picturesOfList({ key, sha256 }: PackPictures): Promise<ArrivalPicture[]> {
    const read = () => readPart(this.deps.store, { key, sha256 })
    return decodePackPictures(key, await this.tried(read))
  }

  private async picturesOfItems(pack: PackRef): Promise<ArrivalPicture[]> {
    const { store } = this.deps
    const found: ArrivalPicture[] = []
    for (const block of (await readDirectory(store, pack)).blocks) {
      const batch = await readBlock(store, { ...pack, raw: null }, block)
      for (const { arrival } of arrivalsOfBlock(block, batch)) {
        const name = pictureName(this.keys.imagePrefix, arrival.item.imageKey)
        if (name !== undefined) found.push({ arrival: arrival.arrival, name })
      }
    }
    return found
  }

  private tried<T>(read: () => Promise<T>): Promise<T> {
    return retryStore(this.deps.clock, read, this.deps.signal)
  }
}

const isBetween = (order: string, from: string, to: string): boolean => order >= from && order <= to
