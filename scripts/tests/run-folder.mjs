// The temporary folder of a run, and a check at the end for files that the tests left there or in
// the clone.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repositoryRoot } from '../setup/report.mjs'

/** Files of other programs that cannot be told to use another place. */
const foreign = [
  // tsx, node, eslint and chromium keep caches here.
  /^tsx-\d+$/,
  /^node-compile-cache$/,
  /^node-jiti$/,
  /^\.?org\.chromium\./
]
const shownKinds = 20

export function openRunFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'likeness-test-'))
  const before = untrackedFiles()
  return {
    folder,
    /** Names in the folder, and files in the clone that were not there at the start. */
    leftovers: () => ({
      temporary: readdirSync(folder).filter(
        (name) => !foreign.some((pattern) => pattern.test(name))
      ),
      untracked: [...untrackedFiles()].filter((file) => !before.has(file))
    }),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Empty outside of a git clone, where git cannot tell. */
function untrackedFiles() {
  const args = ['status', '--porcelain', '--untracked-files=all']
  const { status, stdout } = spawnSync('git', args, { cwd: repositoryRoot, encoding: 'utf8' })
  const lines = status === 0 ? stdout.split('\n') : []
  return new Set(lines.filter((line) => line.startsWith('?? ')).map((line) => line.slice(3)))
}

/** Lines of text. Names that differ only in mkdtemp's ending are counted together. */
export function describeLeftovers({ temporary, untracked }) {
  const kinds = new Map()
  for (const name of temporary) {
    const kind = name.replace(/-[^-]{6,}$/, '-*')
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  const sorted = [...kinds].sort(([, a], [, b]) => b - a)
  const lines = sorted.slice(0, shownKinds).map(([kind, count]) => `  ${count} x ${kind}`)
  if (sorted.length > shownKinds) lines.push(`  and ${sorted.length - shownKinds} other names`)
  return [
    `${temporary.length} left in the temporary folder`,
    ...lines,
    `${untracked.length} new untracked files in the clone`,
    ...untracked.map((file) => `  ${file}`)
  ]
}
