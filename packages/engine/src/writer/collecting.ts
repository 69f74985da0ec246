// Deletes what a collection does not need any more. What goes is found while commits go on, and
// deleted once CURRENT has moved.
import { Garbage, type GarbageDeps } from '../garbage/garbage.ts'
import type { CollectionState } from './collection-state.ts'

export class Collecting {
  private readonly collection: CollectionState
  private readonly garbage: Garbage

  /** `heldIds`: ids of files that are being written. */
  constructor(collection: CollectionState, deps: GarbageDeps, heldIds: () => ReadonlySet<string>) {
    this.collection = collection
    this.garbage = new Garbage(deps, heldIds)
  }

  /**
   * Deletes files that no retained manifest names. Returns their number: 0 while a needed manifest
   * is damaged.
   */
  files(): Promise<number> {
    const { collection, garbage } = this
    return collection.exclusively(
      async () => await collection.deleteFenced(await garbage.files(collection.current))
    )
  }

  /** Whether the next `uploads` has old uploads to look at, or to delete. */
  get hasUploadsLeft(): boolean {
    return this.garbage.hasUploadsLeft
  }

  /** Deletes stored uploads of requests that were never accepted. Returns the number of objects. */
  async uploads(): Promise<number> {
    const { collection, garbage } = this
    if (!(await garbage.hasUploads(collection.state))) return 0
    return await collection.exclusively(async () => {
      const found = await garbage.uploads(collection.state)
      if (found === undefined) return 0
      const deleted = await collection.deleteFenced(found)
      garbage.clearUploads()
      return deleted
    })
  }

  /**
   * Deletes some slots, batches and lists that two bases stand for. Returns false when there were none.
   * Steps go on meanwhile: no version can name these objects again, so it does not matter when they go.
   */
  async folded(): Promise<boolean> {
    const { collection, garbage } = this
    const found = await garbage.foldedObjects(collection.state)
    if (found === undefined) return false
    await collection.exclusively(() => collection.fence())
    await collection.deleteObjects(found)
    return true
  }
}
