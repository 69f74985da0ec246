// Makes directory entries durable, with as few fsyncs as possible.
import { open } from 'node:fs/promises'
import path from 'node:path'

export type SyncDirectory = (directory: string) => Promise<void>

/**
 * Returns a function that makes all entries of a directory durable, and the directory itself up to
 * the root. Callers that arrive while one fsync runs share the next one. Rejects with ENOENT when
 * the directory is gone.
 */
export function createDirectorySync(root: string): SyncDirectory {
  const running = new Map<string, { now: Promise<void>; next?: Promise<void> }>()
  /**
   * Directories whose own entry is known to be durable, with their identity. The identity differs
   * if another process has made a new directory.
   */
  const durable = new Map<string, string>()

  async function syncNow(directory: string): Promise<void> {
    const handle = await open(directory, 'r')
    let identity
    try {
      const stats = await handle.stat({ bigint: true })
      identity = `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (directory === root || durable.get(directory) === identity) return
    await sync(path.dirname(directory))
    if (durable.size > 10_000) durable.clear()
    durable.set(directory, identity)
  }

  function start(directory: string): Promise<void> {
    const entry: { now: Promise<void>; next?: Promise<void> } = { now: syncNow(directory) }
    running.set(directory, entry)
    const ended = () => {
      if (running.get(directory) === entry) running.delete(directory)
    }
    entry.now.then(ended, ended)
    return entry.now
  }

  /**
   * Waits for the fsync that already runs, because that one may have begun before the caller's
   * change, and shares the next one.
   */
  function sync(directory: string): Promise<void> {
    const entry = running.get(directory)
    if (!entry) return start(directory)
    entry.next ??= entry.now.then(
      () => start(directory),
      () => start(directory)
    )
    return entry.next
  }
  return sync
}
