// Folders for tests, removed when the test file that imports this has ended.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const folders: string[] = []

// Registered before every hook of the file, so it runs after all of them: nothing has files open
// any more.
afterAll(() => {
  for (const folder of folders.splice(0))
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

/**
 * A new, empty folder, for a test, a hook or the whole file. `name` says in a list of leftovers
 * whose folder this was.
 */
export function temporaryFolder(name = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `likeness-${name}-`))
  folders.push(folder)
  return folder
}
