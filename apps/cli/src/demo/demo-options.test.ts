import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { HelpAsked } from '../command-options.ts'
import { UserError } from '../user-error.ts'
import { parseDemoOptions } from './demo-options.ts'

const root = '/somewhere/'
const home = '/home/.likeness'
const folder = temporaryFolder('options')
const file = join(folder, 'query.jpg')
writeFileSync(file, '')

test('without arguments the demo draws its own pictures into the data folder of the clone', () => {
  expect(parseDemoOptions([], { root, home })).toEqual({
    images: undefined,
    query: undefined,
    json: false,
    s3: false,
    dataDir: home,
    outDir: '/somewhere/out/demo'
  })
})

test('folders and files are taken relative to where the user is', () => {
  process.env.LIKENESS_CALLER_FOLDER = folder
  const options = parseDemoOptions(
    ['--images', '.', '--query', 'query.jpg', '--json', '--s3', '--data', 'd', '--out', 'o'],
    { root, home }
  )
  delete process.env.LIKENESS_CALLER_FOLDER
  expect(options).toEqual({
    images: folder,
    query: file,
    json: true,
    s3: true,
    dataDir: join(folder, 'd'),
    outDir: join(folder, 'o')
  })
})

test('what is not there or not known is named', () => {
  const refused = (args: string[]) => () => parseDemoOptions(args, { root, home })
  expect(refused(['--images', '/not/here'])).toThrow('--images /not/here: there is no such folder')
  expect(refused(['--images', file])).toThrow('there is no such folder')
  expect(refused(['--query', folder])).toThrow('there is no such file')
  expect(refused(['--imges', folder])).toThrow(/--imges[^]*--images DIR/)
  expect(refused(['stray'])).toThrow(UserError)
  expect(refused(['--help'])).toThrow(HelpAsked)
})
