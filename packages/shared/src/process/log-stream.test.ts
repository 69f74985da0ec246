// Tests processes whose output has no room, no reader, or a reader that stands still: they go on, and
// they stop when they are asked to.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'

const program = new URL('./testing/logging-process.ts', import.meta.url).pathname

function start(output: number | 'pipe'): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    stdio: ['ignore', output, 'inherit', 'ipc']
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}
/** Resolves after the child has told `times` times that it is alive. */
async function hear(child: ChildProcess, times: number): Promise<void> {
  for (let heard = 0; heard < times; heard++) await once(child, 'message')
}
async function mustStop(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await exit).toEqual([0, null])
}

test('on a full disk', async () => {
  const full = openSync('/dev/full', 'w')
  const child = start(full)
  closeSync(full)
  await hear(child, 50)
  await mustStop(child)
})

test('with a reader that stands still, and with none', async () => {
  for (const close of [false, true]) {
    const child = start('pipe')
    await hear(child, 20)
    if (close) child.stdout!.destroy()
    await hear(child, 50)
    await mustStop(child)
  }
})

test('a file gets every line, also the last ones', async () => {
  const file = join(temporaryFolder('log'), 'a.log')
  const output = openSync(file, 'a')
  const child = start(output)
  closeSync(output)
  await hear(child, 3)
  await mustStop(child)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
  expect(messages.filter((message) => message === 'line').length % 100).toBe(0)
  expect(messages.at(-1)).toBe('stopping')
})
