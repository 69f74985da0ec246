import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commandEnvironment, runCommand } from './run-command.mjs'

const program = (script) => [process.execPath, '-e', script]
const forever = new AbortController().signal
const run = async (script, { isQuiet = false, signal = forever, limitMs } = {}) => {
  const shown = []
  const code = await runCommand(program(script), {
    env: process.env,
    isQuiet,
    signal,
    limitMs,
    show: (text) => shown.push(text)
  })
  return { code, shown }
}

test('output goes on in whole lines, and the exit code is told', async () => {
  const script =
    'process.stdout.write("a"); process.exitCode = 3; ' +
    'setTimeout(() => process.stdout.write("b\\nc"), 200)'
  expect(await run(script)).toEqual({ code: 3, shown: ['ab\n', 'c\n'] })
})

test('quiet output comes whole when the command ends', async () => {
  const script = 'console.log(1); setTimeout(() => console.log(2), 200)'
  expect(await run(script, { isQuiet: true })).toEqual({ code: 0, shown: ['1\n2\n'] })
})

test('a run that is stopped ends its commands, as a failure', async () => {
  const stopped = new AbortController()
  setTimeout(() => stopped.abort(), 300)
  expect((await run('setTimeout(() => {}, 60_000)', { signal: stopped.signal })).code).not.toBe(0)
})

test('a command that is stuck is killed at its limit, and says so', async () => {
  const { code, shown } = await run('console.log(1); for (;;);', { limitMs: 8_000 })
  expect(code).not.toBe(0)
  expect(shown).toEqual(['1\n', '\nkilled: it did not end within 8 s\n'])
})

test('whatever a command has started and left behind ends with it', async () => {
  const sleeper = 'setTimeout(() => {}, 60_000)'
  const script = `
    const { spawn } = require('node:child_process')
    const left = spawn(process.execPath, ['-e', ${JSON.stringify(sleeper)}], { stdio: 'ignore' })
    console.log(left.pid)
    left.unref()`
  const { code, shown } = await run(script)
  expect(code).toBe(0)
  await expect
    .poll(
      () =>
        existsSync(`/proc/${Number(shown[0])}/cmdline`) &&
        readFileSync(`/proc/${Number(shown[0])}/cmdline`, 'utf8')
    )
    .toBeFalsy()
})

test('variables that are set win over the numbers of a run, and none of npm is passed on', () => {
  process.env.TEST_ROUNDS = '7'
  process.env.npm_config_x = 'y'
  const env = commandEnvironment({
    numbers: { TEST_ROUNDS: '100', OTHER: '5' },
    temporaryFolder: '/t'
  })
  delete process.env.TEST_ROUNDS
  delete process.env.npm_config_x
  expect(env).toMatchObject({ TEST_ROUNDS: '7', OTHER: '5', TMPDIR: '/t' })
  expect(env).not.toHaveProperty('npm_config_x')
})
