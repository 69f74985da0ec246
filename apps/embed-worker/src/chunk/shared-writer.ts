// Collects the embedded items of many small ingestions and writes them as shared vector batches. A
// batch has items of one collection and one embedding. It is written when it is full or old enough,
// and at once when no other chunk of the collection is being embedded: then there is nothing to wait
// for.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { maxSharedBytes, maxSharedItems, maxSharedWaitMs } from '@likeness/shared/contract/limits'
import { sharedBatchId } from '@likeness/shared/contract/shared-batch'
import { encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { type Resolvers, withResolvers } from '@likeness/shared/data/with-resolvers'
import type { ObjectStore } from '@likeness/store/object-store'
import { type PartEntry, type PartWriter, putBatch, rowsOf } from './part-writer.ts'

export interface SharedWriterDeps {
  store: Pick<ObjectStore, 'put'>
  rawDim: number
  /** Called with the key of every batch that is durable. */
  announce: (collectionId: string, key: string) => void
  nowMs?: () => number
  retryDelaysMs?: readonly number[]
}
export interface SharedChunk {
  collectionId: string
  ingestion: string
  revision: number
  embedding: EmbeddingSpec
  /** Called when a batch with items of the chunk could not be written. `close` rejects too. */
  onError: (error: unknown) => void
}
/** Opens the writer of a chunk that is being embedded. `close` resolves when its items are durable. */
export type OpenShared = (chunk: SharedChunk) => PartWriter

interface SharedEntry extends PartEntry {
  chunk: SharedChunk
}

/** What is collected for one collection and embedding. */
interface Group {
  /** Chunks that are being embedded. */
  chunks: number
  pending: SharedEntry[]
  bytes: number
  timer: NodeJS.Timeout | undefined
  /** Settles with the writing of the pending entries. */
  written: Resolvers<void>
}

export function createSharedWriter(deps: SharedWriterDeps): OpenShared {
  const groups = new Map<string, Group>()

  function groupOf({ collectionId, embedding }: SharedChunk): { name: string; group: Group } {
    const name = `${collectionId} ${embedding.version} ${embedding.dim}`
    let group = groups.get(name)
    if (group === undefined) {
      group = { chunks: 0, ...nothing() }
      groups.set(name, group)
    }
    return { name, group }
  }

  function flush(group: Group): void {
    clearTimeout(group.timer)
    const { pending, written } = group
    if (pending.length === 0) return
    Object.assign(group, nothing())
    writeShared(deps, pending).then(written.resolve, written.reject)
  }

  return (chunk) => {
    const { name, group } = groupOf(chunk)
    group.chunks++
    const batches = new Set<Promise<void>>()
    return {
      add(entry) {
        const bytes = bytesOf(entry)
        if (group.bytes + bytes > maxSharedBytes) flush(group)
        group.pending.push({ ...entry, chunk })
        group.bytes += bytes
        const { promise } = group.written
        if (!batches.has(promise)) promise.catch(chunk.onError)
        batches.add(promise)
        if (group.pending.length >= maxSharedItems) flush(group)
        else group.timer ??= setTimeout(() => flush(group), maxSharedWaitMs)
      },
      async close() {
        if (--group.chunks === 0) {
          flush(group)
          groups.delete(name)
        }
        await Promise.all(batches)
      }
    }
  }
}

const nothing = (): Omit<Group, 'chunks'> => ({
  pending: [],
  bytes: 0,
  timer: undefined,
  written: withResolvers()
})

const bytesOf = ({ item, vectors, raw }: PartEntry): number =>
  vectors.byteLength + raw.byteLength + Buffer.byteLength(JSON.stringify(item))

async function writeShared(
  { store, rawDim, announce, nowMs = Date.now, retryDelaysMs }: SharedWriterDeps,
  pending: readonly SharedEntry[]
): Promise<void> {
  const entries = pending.toSorted(
    (a, b) => a.chunk.revision - b.chunk.revision || a.item.ordinal - b.item.ordinal
  )
  const { collectionId, embedding } = entries[0]!.chunk
  const parts: { ingestion: string; revision: number; items: number }[] = []
  for (const { chunk } of entries) {
    const last = parts.at(-1)
    if (last?.ingestion === chunk.ingestion) last.items++
    else parts.push({ ingestion: chunk.ingestion, revision: chunk.revision, items: 1 })
  }
  const header = {
    collectionId,
    embeddingVersion: embedding.version,
    dim: embedding.dim,
    rawDim,
    items: entries.map(({ item }) => item),
    parts
  }
  const ingestions = parts.map(({ ingestion }) => ingestion)
  const key = collectionKeys(collectionId).sharedBatch(sharedBatchId(nowMs(), ingestions))
  await putBatch(store, key, encodeVectorBatch({ header, ...rowsOf(entries) }), retryDelaysMs)
  announce(collectionId, key)
}
