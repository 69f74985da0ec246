// Interface of the catalogue: the names and aliases of all collections. Implementation: catalog.ts.
import type {
  CollectionDraft,
  CollectionSpec,
  EmbeddingSpec
} from '@likeness/shared/contract/collection'

export interface Catalog {
  /**
   * Returns the collection behind a name, or throws collection_not_found. `fresh` reads the store.
   * Otherwise the answer is at most 500 ms old, or the last one read when the catalogue is damaged.
   * (All other calls then throw data_corrupt.)
   */
  resolve(name: string, options?: { fresh?: boolean }): Promise<CollectionSpec>
  /** Whether a name still points at a collection id. Always reads the store. */
  isLive(collectionId: string): Promise<boolean>
  list(options?: { fresh?: boolean }): Promise<CollectionSpec[]>
  /** Returns ids of dropped collections whose objects are not yet all deleted. */
  dropped(): Promise<string[]>
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
  /**
   * Points an alias at a collection. An existing alias moves in one step. `expected`: its current
   * target, or null for no target; otherwise throws alias_moved. Also throws collection_not_found,
   * name_is_alias, and collection_exists when a collection has the name of the alias.
   */
  setAlias(alias: string, name: string, options?: { expected?: string | null }): Promise<void>
  /** Throws alias_not_found when there is no such alias. `expected`: see setAlias. */
  removeAlias(alias: string, options?: { expected?: string }): Promise<void>
  /**
   * Sets the current embedding of a collection, for callers that request vectors before they read
   * the collection. Returns whether the embedding was new. A dropped collection is left unchanged.
   */
  setEmbedding(collectionId: string, embedding: EmbeddingSpec): Promise<boolean>
  /** Removes a collection id from `dropped` after its objects are deleted. */
  forget(collectionId: string): Promise<void>
  /** Makes the next resolve read the store. */
  invalidate(): void
}
