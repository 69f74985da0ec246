// Reads the content of a snapshot, item by item with full vectors, without loading the snapshot for
// search.
import { joinRows, type VectorRows } from '@likeness/shared/contract/vector-rows'
import type { ObjectStore } from '@likeness/store/object-store'
import { decodePayload } from '../item/item-payload.ts'
import { applyUpdate } from '../item/payload-updates.ts'
import { openSegment, type OpenSegment } from '../segment/open-segment.ts'
import { PayloadCursor, RowCursor } from '../segment/segment-cursors.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { HeldVersion, SnapshotReader } from '../snapshot-contract.ts'
import { readSnapshot } from '../version/read-manifest.ts'

type HeldItem = ReturnType<HeldVersion['items']> extends AsyncIterable<infer T> ? T : never

async function* itemsOf(
  files: SegmentFiles,
  segment: OpenSegment,
  dim: number
): AsyncIterable<HeldItem> {
  const { meta, deleted, updates } = segment
  const payloads = await PayloadCursor.open(files, segment)
  try {
    const rows = await RowCursor.open(files, segment, dim)
    try {
      for (let item = 0; item < meta.items; item++) {
        const [first, end] = [meta.firstRow[item]!, meta.firstRow[item + 1]!]
        if (deleted.has(first)) continue
        const parts: VectorRows[] = []
        for (let row = first; row < end; row++) parts.push(await rows.read(row))
        yield {
          item: applyUpdate(decodePayload(await payloads.read(item)), updates.get(item)),
          vectors: joinRows(parts)
        }
      }
    } finally {
      await rows.close()
    }
  } finally {
    await payloads.close()
  }
}

export const createSnapshotReader = ({
  store,
  files
}: {
  store: ObjectStore
  files: SegmentFiles
}): SnapshotReader => ({
  async open(collectionId, name) {
    const {
      held: { spec, counts, segments }
    } = await readSnapshot(store, collectionId, name)
    return {
      spec,
      counts,
      async *items() {
        for (const ref of segments)
          yield* itemsOf(files, await openSegment(files, ref), spec.embedding.dim)
      }
    }
  }
})
