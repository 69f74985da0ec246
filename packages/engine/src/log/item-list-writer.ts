// Writes the item list of an ingestion as NDJSON parts. The log entry, written later, is the first
// reference to them.
import {
  encodeItemList,
  type ItemListLine,
  itemListPartSize
} from '@likeness/shared/contract/item-list'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import type { ObjectStore } from '@likeness/store/object-store'
import type { ItemListWriter } from '../contract.ts'

/** Each write waits for a disk or a server. Parallel writes wait at the same time. */
const partsAtOnce = 8

async function* partsOf(
  lines: AsyncIterable<ItemListLine> | Iterable<ItemListLine>,
  partSize: number
): AsyncGenerator<ItemListLine[]> {
  let part: ItemListLine[] = []
  let total = 0
  for await (const line of lines) {
    if (line.ordinal !== total)
      throw new Error(`item list ordinal ${line.ordinal} where ${total} comes next`)
    total++
    part.push(line)
    if (part.length < partSize) continue
    yield part
    part = []
  }
  if (part.length > 0) yield part
}

export function createItemListWriter({ store }: { store: ObjectStore }): ItemListWriter {
  return {
    async write(collectionId, ingestion, lines, { partSize = itemListPartSize } = {}) {
      const keys = collectionKeys(collectionId)
      const put = async (part: ItemListLine[]): Promise<number> => {
        await store.put(keys.itemListPart(ingestion, part[0]!.ordinal), encodeItemList(part))
        return part.length
      }
      let total = 0
      for await (const count of mapInOrder(partsOf(lines, partSize), partsAtOnce, put))
        total += count
      return { total }
    }
  }
}
