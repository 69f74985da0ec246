// Tests the program on a machine that lacks something: a message that says what to do, never a stack
// trace.
import { spawnSync } from 'node:child_process'
import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { repositoryRoot } from '../../../apps/cli/src/stack/app-process.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

let dir: string
beforeAll(() => {
  dir = temporaryFolder('machine')
  writeFileSync(join(dir, 'file'), '')
})

function likeness(
  args: readonly string[],
  { shell = '', stdout = 'pipe' as 'pipe' | number } = {}
) {
  const program = [
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    join(repositoryRoot, 'apps/cli/src/main.ts'),
    ...args
  ]
  const { PATH } = process.env
  return spawnSync('sh', ['-c', `${shell} exec "$@"`, 'sh', ...program], {
    encoding: 'utf8',
    env: { PATH, HOME: '/nonexistent', LANG: 'C.UTF-8' },
    stdio: ['ignore', stdout, 'pipe']
  })
}
const isTrace = (text: string): boolean => /^\s+at /m.test(text)

test.each(['up', 'serve', 'status', 'down'])(
  '%s with a file in place of the data folder',
  (name) => {
    const { stderr } = likeness([name, '--data', join(dir, 'file')])
    expect([name, isTrace(stderr)]).toEqual([name, false])
  }
)

test('an answer that has no room is an error', () => {
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = likeness(['status', '--data', join(dir, 'none')], { stdout: full })
  expect([status, stderr]).toEqual([1, expect.stringContaining('no space left on the disk')])
  expect(isTrace(stderr)).toBe(false)
})

test('a reader that is gone ends the program without a word', () => {
  const { stderr } = likeness(['status', '--data', join(dir, 'none')], { shell: 'exec >&-;' })
  expect(isTrace(stderr)).toBe(false)
})
