import { open, writeFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { readCached } from './cached-read.ts'

it('fills from what was just read, says no past the end, and never for a descriptor that is not there', async () => {
  const folder = temporaryFolder('cached')
  await writeFile(join(folder, 'file'), 'gallery of marks')
  const file = await open(join(folder, 'file'))
  await file.read(Buffer.alloc(16), 0, 16, 0)
  const out = new Uint8Array(5)
  if (readCached(file.fd, 11, out)) expect(Buffer.from(out).toString()).toBe('marks')
  // Some file systems do not have such reads. On the usual file systems of Linux, a loss of such
  // reads would slow everything down silently.
  else expect(platform()).not.toBe('linux')
  expect(readCached(file.fd, 12, out)).toBe(false)
  await file.close()
  expect(readCached(123_456, 0, out)).toBe(false)
})
