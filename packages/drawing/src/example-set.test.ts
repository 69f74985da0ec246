import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { drawExampleSet, type ExampleSet } from '@likeness/drawing/example-set'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'

test('a set is drawn once, and anew when its version changed; what the older version drew is gone', async () => {
  const folder = temporaryFolder('set')
  let drawn = 0
  const make = (version: string, name: string): ExampleSet => {
    const draw = async (): Promise<Buffer> => Buffer.from(`${version} ${drawn++}`)
    return {
      version,
      plan: async () => ({
        gallery: [{ path: `images/${name}.jpg`, label: 'a b', more: ['cam1'], draw }],
        queries: [{ path: 'images/q.jpg', label: 'none', draw }]
      })
    }
  }
  const progress: string[] = []
  await drawExampleSet(make('1', 'one'), folder, (done, total) => progress.push(`${done}/${total}`))
  await drawExampleSet(make('1', 'one'), folder)
  expect([drawn, progress]).toEqual([2, ['2/2']])
  expect(await readFile(join(folder, 'gallery.txt'), 'utf8')).toBe('images/one.jpg\ta b\tcam1\n')
  expect(await readFile(join(folder, 'queries.txt'), 'utf8')).toBe('images/q.jpg\tnone\n')
  await drawExampleSet(make('2', 'two'), folder)
  expect((await readdir(join(folder, 'images'))).sort()).toEqual(['q.jpg', 'two.jpg'])
})
