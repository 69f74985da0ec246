// Folders for tests. They are removed after the test file that imports this.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const folders: string[] = []

// Registered before every hook of the file, so this runs after all of them. Files are closed then.
afterAll(() => {
  for (const folder of folders.splice(0))
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

/**
 * Creates a new, empty folder for a test, a hook or the whole file. `name` shows the test of a
 * folder in a list of leftovers.
 */
export function temporaryFolder(name = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `likeness-${name}-`))
  folders.push(folder)
  return folder
}
