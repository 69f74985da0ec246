import { fork } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'

test('a child notices a parent that ended before the child listened, and messages to it do no harm', async () => {
  const child = fork(new URL('./testing/slow-child.ts', import.meta.url), {
    execArgv: ['--import', 'tsx']
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.disconnect()
  expect(await once(child, 'exit')).toEqual([7, null])
})
