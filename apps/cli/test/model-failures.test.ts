// `likeness model` in a process of its own: a failure is a line for the user, never a stack.
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { writeTinyModel } from '@likeness/vision/fixture/tiny-model'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'

const main = join(import.meta.dirname, '../src/main.ts')
let dir: string
beforeAll(async () => {
  dir = temporaryFolder('model-failures')
  await writeFile(join(dir, 'best.pt'), 'PK\x03\x04')
  await writeTinyModel(join(dir, 'models/changed'))
  await writeFile(join(dir, 'models/changed/tiny.onnx'), 'changed')
})

function likeness(...args: string[]): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, ['--import', 'tsx', main, ...args, '--data', dir], {
    encoding: 'utf8'
  })
}

test.each([
  [['model', 'import', 'best.pt'], 2, /^likeness: .*step surgery: .*PyTorch.*format=onnx/],
  [['model', 'bench', 'changed'], 1, /^likeness: .*tiny.onnx has sha256 .*, its manifest says/]
])('`likeness %j` ends with %i and one line', (args, status, line) => {
  const given = args.map((arg) => (arg === 'best.pt' ? join(dir, arg) : arg))
  const failed = likeness(...given)
  expect(failed.status).toBe(status)
  expect(failed.stderr.trim()).toMatch(line)
  expect(failed.stderr.trim().split('\n')).toHaveLength(1)
})
