// What a process knows of the names: answers are at most 500 ms old. While the object of a name is
// damaged, the name cannot change, so what was read last still leads to its collection.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { isAppError } from '@likeness/shared/errors'
import type { CatalogPage, DamagedName } from '../catalog-contract.ts'
import type { CatalogParts } from './catalog-parts.ts'
import { notFound } from './names.ts'

/** Longest time that a name may be answered from memory. */
const maxAgeMs = 500
const mostResolved = 10_000

interface Listed {
  atMs: number
  collections: CollectionSpec[]
  aliases: Record<string, string>
  damaged: DamagedName[]
}

export class KnownNames {
  private readonly parts: CatalogParts
  /** By name, the one that was read last at the end. */
  private readonly resolved = new Map<string, { spec: CollectionSpec; atMs: number }>()
  private listed: Listed | undefined

  constructor(parts: CatalogParts) {
    this.parts = parts
  }

  invalidate(): void {
    for (const known of this.resolved.values()) known.atMs = -Infinity
    this.listed = undefined
  }

  async resolve(name: string, { fresh = false } = {}): Promise<CollectionSpec> {
    const { resolved } = this
    const known = resolved.get(name)
    const atMs = this.parts.clock.nowMs()
    if (!fresh && known !== undefined && atMs - known.atMs < maxAgeMs) return known.spec
    try {
      const spec = await this.lookUp(name)
      resolved.delete(name)
      if (spec === undefined) throw notFound(name)
      resolved.set(name, { spec, atMs })
      if (resolved.size > mostResolved) resolved.delete(resolved.keys().next().value!)
      return spec
    } catch (error) {
      if (fresh || known === undefined || !isAppError(error, 'data_corrupt')) throw error
      return known.spec
    }
  }

  private async lookUp(name: string): Promise<CollectionSpec | undefined> {
    const { names } = this.parts
    // Again: the alias may have moved, and its former target dropped, between the two reads.
    for (let looked = 1; looked <= 2; looked++) {
      const content = (await names.read(name))?.content
      const target = content?.kind === 'alias' ? await names.read(content.target) : undefined
      const collection = content?.kind === 'alias' ? target?.content : content
      if (collection?.kind === 'collection' && !collection.dropping) return collection.spec
      if (content?.kind !== 'alias') return undefined
    }
    return undefined
  }

  /** All names at once: for workers, and for those who look at everything anyway. */
  async all({ fresh = false } = {}): Promise<Listed> {
    const { names, clock } = this.parts
    const atMs = clock.nowMs()
    if (!fresh && this.listed !== undefined && atMs - this.listed.atMs < maxAgeMs)
      return this.listed
    const { contents, damaged } = await names.all()
    const collections: CollectionSpec[] = []
    const aliases: [string, string][] = []
    for (const [name, content] of contents)
      if (content.kind === 'alias') aliases.push([name, content.target])
      else if (content.kind === 'collection' && !content.dropping) collections.push(content.spec)
    return (this.listed = { atMs, collections, aliases: Object.fromEntries(aliases), damaged })
  }

  /** Reads no more names than the page shows, but for those that are free or aliases. */
  async page({ after = '', limit }: { after?: string; limit: number }): Promise<CatalogPage> {
    const page: CatalogPage = { collections: [], damaged: [], next: null }
    let last = after
    for await (const { name, content } of this.parts.names.after(after)) {
      const isDamaged = content instanceof Error
      const isShown = isDamaged || (content.kind === 'collection' && !content.dropping)
      if (isShown && page.collections.length + page.damaged.length === limit) {
        page.next = last
        break
      }
      last = name
      if (isDamaged) page.damaged.push({ name, error: content })
      else if (content.kind === 'collection' && !content.dropping)
        page.collections.push(content.spec)
    }
    return page
  }

  /** Returns the aliases that point at a collection, sorted. */
  async aliasesOf(name: string): Promise<string[]> {
    const { names } = this.parts
    const content = (await names.read(name))?.content
    if (content?.kind !== 'collection') return []
    const claimed = await names.readClaimed(name, content)
    return claimed.filter(({ pointsHere }) => pointsHere).map(({ alias }) => alias)
  }
}
