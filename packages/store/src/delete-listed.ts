// Deletes the listed objects while the listing goes on, a group at a time. So memory stays small
// for a listing of any length.
import type { ObjectStore } from './object-store.ts'

const keysPerDelete = 500

/** Returns the number of deleted records. */
export async function deleteListed(
  store: ObjectStore,
  listed: AsyncIterable<{ key: string }>
): Promise<number> {
  let keys: string[] = []
  let deleted = 0
  const flush = async (): Promise<void> => {
    await store.delete(keys)
    deleted += keys.length
    keys = []
  }
  for await (const { key } of listed) {
    keys.push(key)
    if (keys.length === keysPerDelete) await flush()
  }
  if (keys.length > 0) await flush()
  return deleted
}
