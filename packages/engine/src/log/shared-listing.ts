// Lists the shared batches that may hold items of open ingestions. Their names are in the order of
// time, and no batch is older than its ingestions, so a listing begins at the oldest open one.
import { beforeSharedBatches, newestSlot } from '@likeness/shared/contract/shared-batch'
import { isShared, partsOf } from '@likeness/shared/contract/vector-batch'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { retryStore } from '@likeness/store/retry-store'
import { KeyPages, keysPerPage } from './key-pages.ts'
import { isOpen } from './open-ingestion.ts'
import type { OpenIngestions } from './open-ingestions.ts'
import { peekHeader } from './read-batches.ts'
import type { WorkSource } from './read-log.ts'

const headsAtOnce = 16
/** Heads that are read in one turn. A head has up to 256 items. */
const headsPerPage = 64

/** What is applied, and what is still to do. */
export interface OpenWork {
  appliedSlot: number
  ingestions: OpenIngestions
}

/** What the writer knows of shared batches. */
export interface SharedKnowledge {
  knows(key: string): boolean
  /** Called for a batch that has no effect any more. */
  passOver(key: string): void
  /** Called before a listing: batches up to this key are never listed again. */
  forgetUpTo(key: string): void
}

/** `ingestions`: those of the batch; absent where its head could not be read. */
export interface FoundShared {
  key: string
  ingestions?: readonly string[]
}

/** Yields pages, empty ones too: between them the caller may pause. */
export async function* sharedPages(
  source: WorkSource,
  { appliedSlot, ingestions }: OpenWork,
  known: SharedKnowledge
): AsyncGenerator<FoundShared[]> {
  const { store, clock, keys, signal } = source
  const open = [...ingestions.openAfter(0)].filter(
    ({ open: { record } }) => record.given !== true && record.lineBytes !== undefined
  )
  if (open.length === 0) return
  const before = beforeSharedBatches(
    keys,
    open.map(({ ingestion }) => ingestion)
  )
  known.forgetUpTo(before)

  /** Returns undefined for a batch without effect. One whose head is damaged or long is read whole. */
  async function findEffect(key: string): Promise<FoundShared | undefined> {
    const header = await retryStore(clock, () => peekHeader(store, key), signal)
    if (header === null) return undefined
    if (header === undefined || !isShared(header)) return { key }
    const parts = partsOf(header)
    const isWanted = parts.some(({ ingestion, items }) => {
      const one = ingestions.get(ingestion)
      return one !== undefined && isOpen(one) && items.some(({ ordinal }) => !one.done.has(ordinal))
    })
    if (!isWanted && newestSlot(header) <= appliedSlot) return undefined
    return { key, ingestions: parts.map(({ ingestion }) => ingestion) }
  }

  const pages = new KeyPages(source, keys.sharedBatchesPrefix, before)
  const look = async (key: string) => ({ key, found: await findEffect(key) })
  for (;;) {
    const listed = await pages.next()
    const unknown = listed.filter((key) => !known.knows(key))
    for (let at = 0; at < unknown.length; at += headsPerPage) {
      const some = unknown.slice(at, at + headsPerPage)
      const page: FoundShared[] = []
      for await (const { key, found } of mapInOrder(some, headsAtOnce, look)) {
        if (found === undefined) known.passOver(key)
        else page.push(found)
      }
      yield page
    }
    if (listed.length < keysPerPage) return
  }
}
