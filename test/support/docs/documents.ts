// Pages of the documentation: every Markdown file of the repository.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const repositoryRoot = join(import.meta.dirname, '../../..')

export interface Page {
  /** Path from the root of the repository. */
  file: string
  content: string
}

export const readPage = (file: string): Page => ({
  file,
  content: readFileSync(join(repositoryRoot, file), 'utf8')
})

/** Returns all pages, in the order of their paths. */
export function readPages(): Page[] {
  const args = ['ls-files', '-co', '--exclude-standard', '*.md']
  const options = { cwd: repositoryRoot, encoding: 'utf8' } as const
  const { status, stdout, stderr } = spawnSync('git', args, options)
  if (status !== 0) throw new Error(`git ls-files: ${stderr}`)
  return stdout
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(repositoryRoot, file)))
    .map(readPage)
}
