// The native addon over Faiss; its build script skips itself when nothing changed.
import { spawnSync } from 'node:child_process'
import { repositoryRoot, SetupError } from './report.mjs'

export function buildAddon() {
  const result = spawnSync(process.execPath, ['packages/faiss/build.mjs'], { cwd: repositoryRoot, stdio: ['ignore', 2, 2] })
  if (result.status !== 0) throw new SetupError('the native addon could not be built: see above')
}
