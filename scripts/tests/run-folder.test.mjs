import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeLeftovers, openRunFolder } from './run-folder.mjs'

test('files left behind are told by kind, except those of other programs', () => {
  const { folder, leftovers, remove } = openRunFolder()
  onTestFinished(remove)
  expect(leftovers().temporary).toEqual([])
  for (const name of ['tsx-0', 'likeness-a-AbC123', 'likeness-a-xYz789', 'likeness-b-AbC123'])
    mkdirSync(join(folder, name))
  mkdirSync(join(folder, 'node-compile-cache'))
  const left = leftovers()
  expect(left.temporary).toHaveLength(3)
  expect(describeLeftovers({ ...left, untracked: ['new.txt'] })).toEqual([
    '3 left in the temporary folder',
    '  2 x likeness-a-*',
    '  1 x likeness-b-*',
    '1 new untracked files in the clone',
    '  new.txt'
  ])
  remove()
  expect(existsSync(folder)).toBe(false)
})
