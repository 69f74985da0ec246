// Where the raw vectors of an arrival are in the packs of a base. Bases and directories never
// change, so they stay in memory between searches.
import { LRUCache } from 'lru-cache'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { lowerBound } from '../columns/column.ts'
import type { BaseRef } from '../state/history.ts'
import { isDropped, readCurrent } from '../version/current.ts'
import { readCommitted } from '../version/read-manifest.ts'
import { type PackRef, readBase } from '../base/base.ts'
import { KeptReads } from '../base/kept-reads.ts'
import { type PackBlock, readBlock, readDirectory } from '../base/pack.ts'

/** Bytes of the bases, and of the directories, whose content is kept. In memory it is as large. */
const keptBytes = 32 * 1024 * 1024
const keptVersions = 1000

/** Where the raw vectors of an arrival begin. */
interface PackedPlace {
  key: string
  at: number
}

interface Version {
  /** Key of the manifest. */
  manifest: string
  base: BaseRef | null
}
type RawPack = Pick<PackRef, 'first' | 'last' | 'items' | 'raw' | 'directory'>
interface RawBlock {
  block: Omit<PackBlock, 'arrivals' | 'revisions' | 'rows'>
  arrivals: Float64Array
  /** Number of the first row of each arrival in the block; undefined: not read yet. */
  firstRows: Uint32Array | undefined
}

export class PackedRaws {
  private readonly store: ObjectStore
  private readonly versions = new LRUCache<string, Version>({ max: keptVersions })
  private readonly packs: KeptReads<RawPack[]>
  private readonly directories: KeptReads<RawBlock[]>

  constructor(store: ObjectStore) {
    this.store = store
    this.packs = new KeptReads(keptBytes, async (ref) => {
      const { packs } = await readBase(store, ref)
      return packs.map(({ first, last, items, raw, directory }) => ({
        ...{ first, last, items, raw, directory }
      }))
    })
    this.directories = new KeptReads(keptBytes, async (directory) => {
      const { blocks } = await readDirectory(store, { directory })
      return blocks.map(
        ({ arrivals, revisions: _revisions, rows, ...block }): RawBlock => ({
          block,
          arrivals: Float64Array.from(arrivals),
          firstRows: rows && firstRowsOf(rows)
        })
      )
    })
  }

  /** Returns the base that was read last, without a read. */
  known(collectionId: string): BaseRef | null {
    return this.versions.get(collectionId)?.base ?? null
  }

  /** Returns the base of the committed version. */
  async committed(collectionId: string): Promise<BaseRef | null> {
    const { store, versions } = this
    const found = await readCurrent(store, collectionKeys(collectionId).current)
    if (found === undefined || isDropped(found.current)) return null
    const { manifest } = found.current
    const known = versions.get(collectionId)
    if (known?.manifest === manifest) return known.base
    const base = (await readCommitted(store, collectionId))?.history?.base ?? null
    versions.set(collectionId, { manifest, base })
    return base
  }

  /**
   * Returns undefined when no pack of the base has the arrival, and null when its raw vectors were
   * dropped on purpose. Throws data_corrupt.
   */
  async find(base: BaseRef, arrival: number): Promise<PackedPlace | null | undefined> {
    if (arrival > base.lastArrival) return undefined
    try {
      return await this.findIn(base, arrival)
    } catch (error) {
      // A later base has replaced this one, or the pack.
      if (isAppError(error, 'object_not_found')) return undefined
      throw error
    }
  }

  private async findIn(base: BaseRef, arrival: number): Promise<PackedPlace | null | undefined> {
    const packs = await this.packs.get(base)
    const pack = packs[lowerBound(packs.length, (i) => packs[i]!.last < arrival)]
    if (pack === undefined || pack.first > arrival) return undefined
    if (pack.raw === null) return null
    const blocks = await this.directories.get(pack.directory)
    const found = blocks[lowerBound(blocks.length, (i) => blocks[i]!.arrivals.at(-1)! < arrival)]
    if (found === undefined) return undefined
    const { arrivals, block } = found
    const at = lowerBound(arrivals.length, (i) => arrivals[i]! < arrival)
    if (arrivals[at] !== arrival) return undefined
    if (block.rawDim === 0) return null
    found.firstRows ??= await this.readFirstRows(pack, found)
    return { key: pack.raw.key, at: block.rawAt + 2 * block.rawDim * found.firstRows[at]! }
  }

  /** For a directory that does not say them. */
  private async readFirstRows(pack: RawPack, { block, arrivals }: RawBlock): Promise<Uint32Array> {
    const { header } = await readBlock(
      this.store,
      { items: pack.items, raw: null },
      { ...block, arrivals: [...arrivals], revisions: [] }
    )
    return firstRowsOf(header.items.map(({ rows }) => rows.length))
  }
}

function firstRowsOf(rows: readonly number[]): Uint32Array {
  const first = new Uint32Array(rows.length)
  let row = 0
  for (const [at, count] of rows.entries()) {
    first[at] = row
    row += count
  }
  return first
}
