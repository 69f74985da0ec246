// Writes the item list of an ingestion as NDJSON parts. The log entry, written later, is the first
// reference to them. A short list is left to the log entry.
import {
  encodeItemList,
  type ItemListLine,
  itemListPartSize
} from '@likeness/shared/contract/item-list'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { maxSmallBytes, maxSmallItems } from '@likeness/shared/contract/limits'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import type { ObjectStore } from '@likeness/store/object-store'
import type { ItemListWriter } from '../contract.ts'

/** Each write waits for a disk or a server. Parallel writes wait at the same time. */
const partsAtOnce = 8

async function* checked(
  lines: AsyncIterable<ItemListLine> | Iterable<ItemListLine>
): AsyncGenerator<ItemListLine, undefined> {
  let total = 0
  for await (const line of lines) {
    if (line.ordinal !== total)
      throw new Error(`item list ordinal ${line.ordinal} where ${total} comes next`)
    total++
    yield line
  }
}

/** Reads lines up to the bounds of a short list. `isAll`: there are no more. */
async function readShort(
  lines: AsyncGenerator<ItemListLine, undefined>
): Promise<{ head: ItemListLine[]; isAll: boolean }> {
  const head: ItemListLine[] = []
  for (let bytes = 0; head.length <= maxSmallItems && bytes <= maxSmallBytes; ) {
    const { value } = await lines.next()
    if (value === undefined) return { head, isAll: true }
    head.push(value)
    bytes += Buffer.byteLength(JSON.stringify(value)) + 1
  }
  return { head, isAll: false }
}

async function* joined(
  head: readonly ItemListLine[],
  rest: AsyncGenerator<ItemListLine, undefined>
): AsyncGenerator<ItemListLine> {
  yield* head
  yield* rest
}

async function* partsOf(
  lines: AsyncIterable<ItemListLine>,
  partSize: number
): AsyncGenerator<ItemListLine[]> {
  let part: ItemListLine[] = []
  for await (const line of lines) {
    part.push(line)
    if (part.length < partSize) continue
    yield part
    part = []
  }
  if (part.length > 0) yield part
}

export function createItemListWriter({ store }: { store: ObjectStore }): ItemListWriter {
  return {
    async write(collectionId, ingestion, lines, options = {}) {
      const { partSize = itemListPartSize, mayInline = false } = options
      const keys = collectionKeys(collectionId)
      const all = checked(lines)
      const { head, isAll } = mayInline ? await readShort(all) : { head: [], isAll: false }
      if (isAll) return { total: head.length, inline: head }
      const put = async (part: ItemListLine[]): Promise<number> => {
        await store.put(keys.itemListPart(ingestion, part[0]!.ordinal), encodeItemList(part))
        return part.length
      }
      let total = 0
      const parts = partsOf(joined(head, all), partSize)
      for await (const count of mapInOrder(parts, partsAtOnce, put)) total += count
      return { total }
    }
  }
}
