// Collects the embedded items of a chunk and writes them as immutable vector batches, so that
// freshness does not depend on the chunk's size.
import { setTimeout as sleep } from 'node:timers/promises'
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import {
  type BatchHeader,
  type BatchItem,
  encodeVectorBatch
} from '@likeness/shared/contract/vector-batch'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import { createUlid } from '@likeness/shared/data/ulid'
import { isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'

export interface PartEntry {
  item: BatchItem
  /** f32 [rows, dim]; empty when the item failed. */
  vectors: Float32Array
  /** f16 [rows, rawDim]. */
  raw: Uint16Array
}
export interface PartWriterDeps {
  store: Pick<ObjectStore, 'put'>
  keys: Pick<CollectionKeys, 'batch'>
  header: Omit<BatchHeader, 'items'>
  /** Called with the key of every batch that is durable. */
  announce: (key: string) => void
  /** Called once when a batch could not be written. `close` rejects with the same error. */
  onError: (error: unknown) => void
  maxItems?: number
  maxAgeMs?: number
  retryDelaysMs?: readonly number[]
}
export interface PartWriter {
  add(entry: PartEntry): void
  /** Writes the rest. Rejects with the first error of the store. */
  close(): Promise<void>
}

export function createPartWriter(deps: PartWriterDeps): PartWriter {
  const { maxItems = 256, maxAgeMs = 2_000, onError } = deps
  let pending: PartEntry[] = []
  let timer: NodeJS.Timeout | undefined
  let failure: { error: unknown } | undefined
  let writing = Promise.resolve()

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const entries = pending.sort((a, b) => a.item.ordinal - b.item.ordinal)
    pending = []
    if (entries.length === 0) return
    writing = writing.then(async () => {
      try {
        await writePart(deps, entries)
      } catch (error) {
        if (!failure) onError(error)
        failure ??= { error }
      }
    })
  }
  return {
    add(entry) {
      pending.push(entry)
      if (pending.length >= maxItems) flush()
      else timer ??= setTimeout(flush, maxAgeMs)
    },
    async close() {
      flush()
      await writing
      if (failure) throw failure.error
    }
  }
}

async function writePart(
  { store, keys, header, announce, retryDelaysMs }: PartWriterDeps,
  entries: readonly PartEntry[]
): Promise<void> {
  const key = keys.batch(header.ingestion, entries[0]!.item.ordinal, createUlid())
  const items = entries.map(({ item }) => item)
  const body = encodeVectorBatch({ header: { ...header, items }, ...rowsOf(entries) })
  await putBatch(store, key, body, retryDelaysMs)
  announce(key)
}

export const rowsOf = (entries: readonly PartEntry[]) => ({
  vectors: concatArrays(
    Float32Array,
    entries.map(({ vectors }) => vectors)
  ),
  raw: concatArrays(
    Uint16Array,
    entries.map(({ raw }) => raw)
  )
})

/** The same bytes go to the same name, so a put with an unknown result may be sent again. */
export async function putBatch(
  store: Pick<ObjectStore, 'put'>,
  key: string,
  body: Uint8Array,
  retryDelaysMs: readonly number[] = [200, 1_000]
): Promise<void> {
  for (const delayMs of retryDelaysMs) {
    try {
      await store.put(key, body)
      return
    } catch (error) {
      if (!isAppError(error, 'store_unavailable')) throw error
    }
    await sleep(delayMs)
  }
  await store.put(key, body)
}
