import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { HelpAsked } from './command-options.ts'
import type { CommandContext } from './command.ts'
import { commands } from './commands.ts'
import { UserError } from './user-error.ts'

const context = {
  prepare: () => Promise.reject(new Error('nothing may be prepared'))
} as unknown as CommandContext
const loaded = (): string[] => {
  const maps = readFileSync('/proc/self/maps', 'utf8')
  return ['likeness_faiss', 'onnxruntime', 'sharp'].filter((name) => maps.includes(name))
}

test('help and wrong options are answered with nothing prepared or loaded', async () => {
  for (const run of Object.values(commands)) {
    await expect(run(['--help'], context)).rejects.toThrow(HelpAsked)
    await expect(run(['--no-such-option'], context)).rejects.toThrow(UserError)
  }
  expect(loaded()).toEqual([])
})

test('a library that is loaded would be seen', async () => {
  await import('@likeness/vision')
  expect(loaded()).toEqual(['likeness_faiss', 'onnxruntime', 'sharp'])
})
