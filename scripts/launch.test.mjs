import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commands } from '../apps/cli/src/commands.ts'
import { temporaryFolder } from '../test/support/temporary-folder.ts'
import { commandList } from './command-list.mjs'
import { repositoryRoot } from './setup/report.mjs'

const wrapper = join(repositoryRoot, 'bin/likeness')
const { PATH } = process.env

test('the help lists every command of the program', () => {
  expect(Object.keys(commandList)).toEqual(Object.keys(commands))
})

test('the wrapper works from any folder, by its path, on the PATH and through symlinks', () => {
  const folder = temporaryFolder('launch')
  mkdirSync(join(folder, 'with spaces'))
  symlinkSync(wrapper, join(folder, 'with spaces/first'))
  symlinkSync('with spaces/first', join(folder, 'second'))
  const calls = [
    [wrapper, PATH],
    ['./second', PATH],
    ['likeness', `${join(repositoryRoot, 'bin')}:${PATH}`]
  ]
  for (const [file, path] of calls) {
    const env = { PATH: path }
    expect(execFileSync(file, ['--version'], { cwd: folder, env, encoding: 'utf8' })).toMatch(
      /^likeness \d/
    )
  }
})

test('a clone without packages answers help and the version, and installs nothing', () => {
  const clone = temporaryFolder('launch')
  for (const part of ['bin', 'scripts', 'package.json', 'packages/faiss/build.mjs']) {
    cpSync(join(repositoryRoot, part), join(clone, part), { recursive: true })
  }
  const run = (...args) =>
    spawnSync(join(clone, 'bin/likeness'), args, { cwd: '/', env: { PATH }, encoding: 'utf8' })
  const help = run('--help')
  expect(help).toMatchObject({ status: 0, stderr: '' })
  expect(help.stdout).toMatch(/^likeness COMMAND \[options\]\n {2}build /)
  expect(run()).toMatchObject({ status: 0, stdout: help.stdout })
  expect(run('--version')).toMatchObject({ status: 0, stderr: '' })
  expect(run('serach')).toMatchObject({ status: 2, stdout: '' })
  expect(run('serach').stderr).toMatch(/^likeness: there is no command serach\n/)
})
