// Loads a package for comparison; the first call installs all of them into this folder.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const benchDir = fileURLToPath(new URL('.', import.meta.url))

export function loadPeer<T>(name: string): T {
  if (!existsSync(`${benchDir}node_modules/${name}`)) {
    process.stderr.write(
      'installing the packages to compare with into bench/ (once; a compiler is needed)\n'
    )
    const { status } = spawnSync('npm', ['run', 'peers'], {
      cwd: benchDir,
      stdio: ['ignore', 'ignore', 'inherit']
    })
    if (status !== 0)
      throw new Error('the peers could not be installed: see above; try `npm run peers` in bench/')
  }
  return createRequire(`${benchDir}package.json`)(name) as T
}

export const peerVersion = (name: string): string =>
  (
    JSON.parse(readFileSync(`${benchDir}node_modules/${name}/package.json`, 'utf8')) as {
      version: string
    }
  ).version
