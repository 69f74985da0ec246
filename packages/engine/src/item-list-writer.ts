// Writes the item list of an ingestion as NDJSON parts. Nothing refers to it before its log entry exists.
import { encodeItemList, itemListPartSize } from '@likeness/shared/contract/item-list'
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { collectionKeys } from '@likeness/shared/keys'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import type { ItemListWriter } from './contract.ts'

export function createItemListWriter({ store }: { store: ObjectStore }): ItemListWriter {
  return {
    async write(incarnation, ingestion, lines) {
      const keys = collectionKeys(incarnation)
      let part: ItemListLine[] = []
      let total = 0
      const flush = async (): Promise<void> => {
        if (part.length === 0) return
        await store.put(keys.itemListPart(ingestion, total - part.length), encodeItemList(part))
        part = []
      }
      for await (const line of lines) {
        if (line.ordinal !== total) throw new Error(`item list ordinal ${line.ordinal} where ${total} comes next`)
        part.push(line)
        total++
        if (part.length === itemListPartSize) await flush()
      }
      await flush()
      return { total }
    }
  }
}
