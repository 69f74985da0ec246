// Checks at start-up that a store keeps the conditions that everything else relies on.
import { randomUUID } from 'node:crypto'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from './object-store.ts'

/**
 * Writes and removes one small object under `probe/`. Rejects with `unsupported_store`, naming the
 * store and its fault, when a conditional write happens that must not, or fails that must happen.
 * Rejects with `store_unavailable` when the store cannot be reached.
 * @param name name of the store in messages, for example its address
 */
export async function probeObjectStore(
  store: ObjectStore,
  name: string = store.kind
): Promise<void> {
  const key = `probe/${randomUUID()}`
  const fault = await findFault(store, key)
  await store.delete([key, `${key}-missing`])
  if (fault === undefined) return
  throw appError(
    'unsupported_store',
    `The object store ${name} ${fault}. It does not honour conditional writes, so data could be lost.`
  )
}

async function findFault(store: ObjectStore, key: string): Promise<string | undefined> {
  // The bytes differ at every step: on S3 equal bytes have the same etag.
  const body = (step: string) => Buffer.from(`${step} ${randomUUID()}`)
  const first = await store.putIf(key, body('created'), { create: true })
  if (!first) return 'did not create a key that does not exist'
  if (await store.putIf(key, body('created again'), { create: true }))
    return 'created a key that exists'
  const second = await store.putIf(key, body('replaced'), { ifMatch: first.etag })
  if (!second) return 'did not replace an object whose etag matched'
  if (await store.putIf(key, body('stale'), { ifMatch: first.etag }))
    return 'replaced an object by a stale etag'
  if (await store.putIf(`${key}-missing`, body('missing'), { ifMatch: second.etag }))
    return 'replaced a key that does not exist'
  if ((await store.get(key))?.etag !== second.etag) return 'did not give back what was written last'
  return undefined
}
