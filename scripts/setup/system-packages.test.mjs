import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { installSystemPackages, missingPackages } from './system-packages.mjs'

const kept = {
  PATH: process.env.PATH,
  CXX: process.env.CXX,
  CHROMIUM_PATH: process.env.CHROMIUM_PATH
}
let bin
const command = (name, script) => {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(bin, name), 0o755)
}

beforeEach(() => {
  bin = temporaryFolder('bin')
  for (const name of Object.keys(kept)) delete process.env[name]
  process.env.PATH = bin
})
afterEach(() => {
  for (const [name, value] of Object.entries(kept)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})

test('a browser is only asked for by the tests', () => {
  expect(missingPackages({ browser: false })).not.toContain('chromium')
  expect(missingPackages({ browser: true })).toContain('chromium')
})

test('without apt one line says what to install', () => {
  expect(() => installSystemPackages({ browser: false })).toThrow(
    /^please install .*redis-server.*sudo apt-get install [^\n]*$/
  )
})

test('what is there is not installed again', () => {
  for (const name of ['c++', 'redis-server', 'chromium']) command(name, '')
  expect(
    missingPackages({ browser: true }).filter((name) => !/libfaiss|openblas/.test(name))
  ).toEqual([])
})

test('as root the lists are read once and everything missing is installed without questions', () => {
  if (process.getuid() !== 0) return
  const calls = join(bin, 'calls')
  const there = join(bin, 'lists')
  command(
    'env',
    'while case "$1" in *=*) true;; *) false;; esac; do export "$1"; shift; done; exec "$@"'
  )
  // Recorded, not run: the real script writes beside the system's services.
  command('sh', `shift 3; echo "$DEBIAN_FRONTEND install $*" >> ${calls}`)
  command('apt-cache', `[ -e ${there} ] && echo "  Candidate: 1.0" || echo "  Candidate: (none)"`)
  command(
    'apt-get',
    `echo "$DEBIAN_FRONTEND $*" >> ${calls}; [ "$1" = update ] && : > ${there}; exit 0`
  )
  installSystemPackages({ browser: false })
  const lines = readFileSync(calls, 'utf8').trim().split('\n')
  expect(lines[0]).toBe('noninteractive update -q')
  expect(lines[1]).toMatch(/^noninteractive install g\+\+ .*redis-server$/)
  expect(lines).toHaveLength(2)
})

test('a package that apt does not know is named, a browser that it does not have is not asked for', () => {
  if (process.getuid() !== 0) return
  command('env', 'exit 0')
  command('apt-get', '')
  command('apt-cache', 'echo "  Candidate: (none)"')
  expect(() => installSystemPackages({ browser: true })).toThrow(/please install/)
  for (const name of ['c++', 'redis-server']) command(name, '')
  if (missingPackages({ browser: false }).length === 0)
    expect(() => installSystemPackages({ browser: true })).not.toThrow()
})
