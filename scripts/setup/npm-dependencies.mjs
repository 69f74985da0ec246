// Installs npm dependencies from the lockfile. npm's own record of the install tells whether it is
// still current.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { repositoryRoot, SetupError, timed } from './report.mjs'

const readPackages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages

/** Reason why node_modules does not match the lockfile; undefined when they match. */
export function findStaleDependency(root = repositoryRoot) {
  const record = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(record)) return 'nothing is installed yet'
  const wanted = readPackages(join(root, 'package-lock.json'))
  const installed = readPackages(record)
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue
    if (entry.link ? existsSync(join(root, path)) : isSame(entry, installed[path])) continue
    return path
  }
  return undefined
}

// Optional packages of other platforms are in the lockfile and are never installed.
const isSame = (wanted, installed) =>
  installed === undefined
    ? wanted.optional === true
    : wanted.version === installed.version && wanted.integrity === installed.integrity

/**
 * Returns the npm that started this process, if any. npm_execpath is a script, or a binary where
 * npm is packaged as a binary.
 */
export function npmCommand() {
  const npm = process.env.npm_execpath
  return npm !== undefined && /\.[cm]?js$/.test(npm) ? [process.execPath, npm] : ['npm']
}

export function installNpmDependencies() {
  if (findStaleDependency() === undefined) return
  timed('installing npm dependencies from the lockfile (npm ci)', () => {
    const [file, ...args] = npmCommand()
    // Without the variable onnxruntime-node would look for CUDA and download libraries from
    // elsewhere.
    const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }
    const result = spawnSync(file, [...args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: repositoryRoot,
      env,
      stdio: ['ignore', 2, 2]
    })
    if (result.error !== undefined)
      throw new SetupError(
        `npm could not be started (${result.error.message}): install npm 10 or newer`
      )
    if (result.status !== 0)
      throw new SetupError('npm ci failed: see above; it needs the npm registry')
  })
}
