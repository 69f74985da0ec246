import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { CommandContext } from '../command.ts'
import { drawGallery } from '../demo/draw-gallery.ts'
import { runModel } from './run-model.ts'

const dir = temporaryFolder('quantize')
const pictures = join(dir, 'marks')
beforeAll(() => drawGallery({ folder: pictures, count: 2 }).then(() => undefined))

async function run(...args: string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = []
  const context = {
    prepare: () => Promise.resolve(),
    print: (text: string) => lines.push(text),
    say: () => undefined,
    write: () => undefined,
    isTerminal: false,
    nowMs: () => 0
  } as unknown as CommandContext
  const code = await runModel([...args, '--data', dir], context)
  return { code, text: lines.join('\n') }
}

test('a quantise command without pictures, or of no model, says in one message what is missing', async () => {
  await mkdir(join(dir, 'few'))
  const failure = (...args: string[]) =>
    run(...args).then(
      () => 'done',
      (error: Error) => error.message
    )
  expect(await failure('quantize', 'likeness-nano')).toContain('--pictures is missing')
  expect(await failure('quantize', 'likeness-nano', '--pictures', join(dir, 'nowhere'))).toContain(
    'there is no such folder'
  )
  expect(await failure('quantize', 'likeness-nano', '--pictures', join(dir, 'few'))).toContain(
    'no picture'
  )
  expect(await failure('quantize', 'nothing', '--pictures', pictures)).toContain(
    'there is no model nothing'
  )
})
