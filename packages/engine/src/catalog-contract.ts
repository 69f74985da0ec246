// Interface of the catalogue: the names and aliases of all collections. Implementation: catalog.ts.
import type { CollectionDraft, CollectionSpec } from '@likeness/shared/contract/collection'
import type { AppError } from '@likeness/shared/errors'

/** A name whose object cannot be read: damaged, or of a newer version. It concerns that name only. */
export interface DamagedName {
  name: string
  error: AppError
}
export interface Unwanted {
  collections: { collectionId: string; isNamed: boolean }[]
  /** Errors of records that cannot be read. */
  damaged: unknown[]
}
export interface CatalogPage {
  collections: CollectionSpec[]
  damaged: DamagedName[]
  /** The next page begins after this name; null: there is none. */
  next: string | null
}

export interface ListedState extends Pick<CollectionSpec, 'name' | 'collectionId' | 'embedding'> {
  settings: Pick<CollectionSpec['settings'], 'pinned'>
}

export interface Catalog {
  /**
   * Returns the collection behind a name, or throws collection_not_found. `fresh` reads the store.
   * Otherwise the answer is at most 500 ms old, or the last one read when the object of the name is
   * damaged. (Other calls then throw data_corrupt.)
   */
  resolve(name: string, options?: { fresh?: boolean }): Promise<CollectionSpec>
  /** Returns the collection of that very name, no alias. Always reads the store. */
  find(name: string): Promise<CollectionSpec | undefined>
  /** Whether operations of a collection id are accepted: it is not dropped. Always reads the store. */
  isLive(collectionId: string): Promise<boolean>
  /**
   * Returns all collections: a listing, and the names that changed since the last call. A damaged name
   * is among them as it was read last; see `damaged`.
   */
  list(options?: { fresh?: boolean }): Promise<CollectionSpec[]>
  /** Returns the names that could not be read, at most 500 ms ago. */
  damaged(): Promise<DamagedName[]>
  /** Returns at most `limit` collections after a name, by name. */
  page(options: { after?: string; limit: number }): Promise<CatalogPage>
  /**
   * Returns collections whose objects are to be deleted: dropped ones, and those that got no name
   * within `unnamedAfterMs`.
   */
  unwanted(options: { unnamedAfterMs: number }): Promise<Unwanted>
  /**
   * Throws collection_exists, or name_is_alias when the name is an alias. Durable when resolved.
   */
  create(draft: CollectionDraft): Promise<CollectionSpec>
  /** First of two steps: makes all files that must exist before the name. Refuses like `create`. */
  prepare(draft: CollectionDraft): Promise<CollectionSpec>
  /** Second step: writes the name; safe to repeat. upload_expired after `withinMs` (30 min). */
  publish(spec: CollectionSpec, options?: { withinMs?: number }): Promise<void>
  /**
   * Drops a collection by its own name. Throws name_is_alias or collection_not_found; throws
   * collection_has_aliases while an alias points at the collection. `expected`: drop only this
   * collection id. If the name now points at a newer collection, that one is kept and the call
   * succeeds.
   */
  drop(name: string, options?: { expected?: string }): Promise<{ collectionId: string }>
  /** Returns alias -> name of a collection. An alias resolves like a name. */
  aliases(options?: { fresh?: boolean }): Promise<Record<string, string>>
  /** Returns the aliases of a collection, sorted. Always reads the store. */
  aliasesOf(name: string): Promise<string[]>
  /** Returns the collection name of an alias. Always reads the store. */
  targetOf(alias: string): Promise<string | undefined>
  /**
   * Points an alias at a collection. An existing alias moves in one step. `expected`: its current
   * target, or null for no target; otherwise throws alias_moved. Also throws collection_not_found,
   * name_is_alias, and collection_exists when a collection has the name of the alias.
   */
  setAlias(alias: string, name: string, options?: { expected?: string | null }): Promise<void>
  /** Throws alias_not_found when there is no such alias. `expected`: see setAlias. */
  removeAlias(alias: string, options?: { expected?: string }): Promise<void>
  /**
   * Tells the state of the newest version, for those who do not read the collection: which vectors
   * a search needs, and whether replicas load it when they start. Returns whether any of it was new.
   * A dropped collection is left unchanged.
   */
  setListed(collection: ListedState): Promise<boolean>
  /** Call this when the objects of an unwanted collection are deleted, all but CURRENT. */
  forget(collectionId: string): Promise<void>
  /**
   * Returns the time from which programs before 0.4 change nothing in this store; null: the store is
   * newer than that.
   */
  movedAtMs(): Promise<number | null>
  /** Rejects when the store does not answer. */
  check(): Promise<void>
  /** Makes the next resolve read the store. */
  invalidate(): void
}
