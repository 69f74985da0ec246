// Bytes of the files under a folder, as the file system counts their lengths.
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** In the names of a directory store. What the log and the batches of our store are: kept to make a collection again, and not read to search it. */
const rebuildParts = /(^|\/)(log|batch|ing|jobs)~\//

/** `rebuild` is the part of `total` that only making the collection again needs. */
export async function bytesUnder(dir: string): Promise<{ total: number; rebuild: number }> {
  const bytes = { total: 0, rebuild: 0 }
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const { size } = await stat(path)
    bytes.total += size
    if (rebuildParts.test(relative(dir, path))) bytes.rebuild += size
  }
  return bytes
}
