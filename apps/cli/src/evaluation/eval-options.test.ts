import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { builtInDir } from '../model/model-folders.ts'
import { parseEvalOptions } from './eval-options.ts'

const folder = temporaryFolder('eval')

test('a folder alone is measured exactly, without a threshold, by what runs', () => {
  expect(parseEvalOptions([folder])).toMatchObject({
    folder,
    index: 'FLAT',
    modelDir: undefined,
    learnsProfile: false,
    roles: ['gallery', 'query'],
    scoreThres: undefined,
    minR1: undefined
  })
})

test('options are taken, names in any case', () => {
  const options = parseEvalOptions([
    folder,
    '--model',
    'likeness-nano',
    '--profile',
    'gallery',
    '--index',
    'hnsw32',
    '--roles',
    'gallery_iconic, query',
    '--score-thres',
    'auto',
    '--min-r1',
    '0.5'
  ])
  expect(options).toMatchObject({
    modelDir: builtInDir,
    learnsProfile: true,
    index: 'HNSW32',
    roles: ['gallery_iconic', 'query'],
    scoreThres: 'auto',
    minR1: 0.5
  })
})

test('what is asked wrongly is said before anything is started', () => {
  const failure = (...args: string[]): string => {
    try {
      parseEvalOptions(args)
      return 'taken'
    } catch (error) {
      return (error as Error).message
    }
  }
  expect(failure()).toContain('one folder is expected')
  expect(failure(`${folder}/absent`)).toContain('there is no such folder')
  expect(failure(folder, '--index', 'TREE')).toContain('--index TREE')
  expect(failure(folder, '--model', 'absent', '--data', folder)).toContain(
    'there is no model absent'
  )
  expect(failure(folder, '--min-r1', '2')).toContain('--min-r1 2')
  expect(failure(folder, '--profile', 'a profile')).toContain('--profile a profile')
  expect(failure(folder, '--profile', 'cars', '--model', 'likeness-nano')).toContain(
    '--profile cars lies in the stack that runs'
  )
  expect(parseEvalOptions([folder, '--profile', 'cars'])).toMatchObject({
    profile: 'cars',
    learnsProfile: false
  })
  expect(failure(folder, '--model', 'likeness-nano', '--api', 'http://127.0.0.1:1')).toContain(
    '--api names one that runs'
  )
})
