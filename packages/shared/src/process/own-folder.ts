// Folder that belongs to this process alone, inside its DATA_DIR.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Makes the folder, without the files that an earlier, killed process left. */
export async function emptyOwnFolder(dataDir: string, name: string): Promise<string> {
  const dir = join(dataDir, name)
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true, mode: 0o700 })
  return dir
}
