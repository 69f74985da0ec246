// Bytes of the files under a folder: the sum of the file lengths.
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'

/**
 * Names of log and batches in a directory store. These files are kept to rebuild a collection, and
 * searches do not read them.
 */
const rebuildParts = /(^|\/)(log|batch|ing|jobs)~\//

/** `rebuild` is the part of `total` that only a rebuild needs. */
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
