// Reads the content of a snapshot, item by item with full vectors, without loading the snapshot for
// search.
import type { ObjectStore } from '@likeness/store/object-store'
import { openSegment, type OpenSegment } from '../segment/open-segment.ts'
import { liveItemsOf, readItems } from '../segment/read-items.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { HeldVersion, SnapshotReader } from '../snapshot-contract.ts'
import { readSnapshot } from '../version/read-manifest.ts'

type HeldItem = ReturnType<HeldVersion['items']> extends AsyncIterable<infer T> ? T : never

async function* itemsOf(
  files: SegmentFiles,
  segment: OpenSegment,
  dim: number
): AsyncIterable<HeldItem> {
  const items = liveItemsOf(segment)
  for await (const { payload, vectors } of readItems(files, segment, { items, dim }))
    yield { item: payload, vectors }
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
