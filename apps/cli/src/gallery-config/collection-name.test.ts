import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { collectionNameSchema } from '@likeness/shared/contract/collection'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { collectionNameOf } from './collection-name.ts'

const dir = temporaryFolder('name')

test('a folder gives a readable name of its own that a collection can have', () => {
  mkdirSync(join(dir, 'a'))
  symlinkSync(join(dir, 'a'), join(dir, 'link'))
  expect(collectionNameOf(join(dir, 'link/index'))).toBe(collectionNameOf(join(dir, 'a/index')))
  const names = [
    join(dir, 'a/index'),
    join(dir, 'b/index'),
    `${dir}/产品/索引`,
    `${dir}/${'x'.repeat(300)}/y`,
    '/',
    `${dir}/...`
  ].map(collectionNameOf)
  for (const name of names) expect(collectionNameSchema.safeParse(name).success, name).toBe(true)
  expect(new Set(names).size).toBe(names.length)
})
