// `npx` with our name runs a stranger's package on npm. So no tracked file may contain that
// command.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

function filesWith(pattern: string): string[] {
  const { status, stdout, stderr } = spawnSync('git', ['grep', '-lE', pattern], {
    cwd: root,
    encoding: 'utf8'
  })
  if (status !== 0 && status !== 1) throw new Error(`git grep: ${stderr}`)
  return stdout.split('\n').filter((line) => line !== '')
}

test('no tracked file says to run the command through npx', () => {
  expect(filesWith(['npx', '( +-[^ ]+)* +', 'likeness'].join(''))).toEqual([])
  expect(filesWith('^#!/bin/sh')).toContain('bin/likeness')
})
