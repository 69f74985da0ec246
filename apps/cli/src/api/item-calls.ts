// Calls for items: one item by id, all items with their vectors, and items that are similar to a
// picture.
import type { ItemAnswer } from '@likeness/shared/contract/http/items'
import type { SearchAnswer, SearchRequest } from '@likeness/shared/contract/http/search'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { absentWhen } from './api-problem.ts'
import { type ApiRequest, inCollection, json, jsonLines } from './api-request.ts'

/** Search options of a picture. The collection supplies the rest. */
export type SearchOptions = Partial<Omit<SearchRequest, 'vector' | 'item_id' | 'image_key'>>

export interface ExamplePictures {
  positive: readonly Uint8Array[]
  negative: readonly Uint8Array[]
}

export interface ItemCalls {
  /** undefined when the collection has no such item. */
  getItem(collection: string, id: string): Promise<ItemAnswer | undefined>
  /** Deletes at most 10 000 items; resolves after the commit. */
  deleteItems(collection: string, ids: readonly string[]): Promise<void>
  /**
   * Returns every item of the newest version with vectors, and the number of that version. `sample`:
   * at most so many items, spread evenly.
   */
  exportVectors(
    collection: string,
    options?: { sample?: number }
  ): Promise<{ seq: number; lines: AsyncIterable<VectorLine> }>
  /** Searches with the vectors of a stored item, which is no hit itself. */
  searchByItem(collection: string, id: string, options: SearchOptions): Promise<SearchAnswer>
  /** `minSeq`: the answer contains at least this commit. */
  search(collection: string, image: Uint8Array, options: SearchOptions): Promise<SearchAnswer>
  searchByExamples(
    collection: string,
    pictures: ExamplePictures,
    options: SearchOptions
  ): Promise<SearchAnswer>
  /** Fetches the bytes of a path in an answer, for example a hit's thumbnail. */
  fetchBytes(path: string): Promise<Buffer>
}

export function createItemCalls({ request, answer }: ApiRequest): ItemCalls {
  const searchForm = (
    collection: string,
    pictures: { image: readonly Uint8Array[]; negative: readonly Uint8Array[] },
    options: SearchOptions
  ): Promise<SearchAnswer> => {
    const form = new FormData()
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined)
        form.set(name, typeof value === 'string' ? value : JSON.stringify(value))
    }
    for (const [name, all] of Object.entries(pictures))
      for (const picture of all) form.append(name, new Blob([new Uint8Array(picture)]), 'query')
    return answer(inCollection(collection, '/search'), { method: 'POST', body: form })
  }
  return {
    getItem: (collection, id) =>
      answer<ItemAnswer>(inCollection(collection, `/items/${encodeURIComponent(id)}`)).catch(
        absentWhen('item_not_found')
      ),
    deleteItems: async (collection, ids) =>
      void (await request(inCollection(collection, '/delete'), json({ ids }))),
    async exportVectors(collection, { sample } = {}) {
      const some = sample === undefined ? '' : `&sample=${sample}`
      const path = inCollection(collection, `/vectors?consistency=strong${some}`)
      const response = await request(path)
      return {
        seq: Number(response.headers.get('x-index-seq')),
        lines: jsonLines<VectorLine>(response)
      }
    },
    searchByItem: (collection, id, options) =>
      answer(inCollection(collection, '/search'), json({ item_id: id, ...options })),
    search: (collection, image, options) =>
      searchForm(collection, { image: [image], negative: [] }, options),
    searchByExamples: (collection, { positive, negative }, options) =>
      searchForm(collection, { image: positive, negative }, options),
    fetchBytes: async (path) => Buffer.from(await (await request(path)).arrayBuffer())
  }
}
