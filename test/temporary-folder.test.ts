import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { temporaryFolder } from './support/temporary-folder.ts'

const root = join(import.meta.dirname, '..')
let home: string

beforeAll(() => {
  home = temporaryFolder('home')
})

test('folders are gone when a file has ended, also after a failure', () => {
  const temporary = join(home, 'temporary')
  mkdirSync(temporary)
  const helper = JSON.stringify(join(root, 'test/support/temporary-folder.ts'))
  writeFileSync(
    join(home, 'some.test.ts'),
    `
    import { writeFileSync } from 'node:fs'
    import { temporaryFolder } from ${helper}
    const use = (folder) => writeFileSync(folder + '/file', 'used')
    use(temporaryFolder())
    beforeAll(() => use(temporaryFolder()))
    test('fails', () => { use(temporaryFolder()); throw new Error('on purpose') })`
  )
  const args = ['run', '--root', home, '--globals', '--reporter=json']
  const env = { ...process.env, TMPDIR: temporary }
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/vitest'), args, {
    cwd: home,
    env,
    encoding: 'utf8'
  })
  expect(JSON.parse(stdout)).toMatchObject({ numFailedTests: 1, numTotalTests: 1 })
  expect(readdirSync(temporary)).toEqual([])
})
