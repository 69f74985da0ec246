import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { findStaleDependency } from './npm-dependencies.mjs'

let root
const lock = (packages) =>
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }))
const installed = (packages) =>
  writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages }))
const one = { version: '1.0.0', integrity: 'sha512-a' }

beforeEach(() => {
  root = temporaryFolder('lock')
  lock({
    '': {},
    'apps/x': {},
    'node_modules/a': one,
    'node_modules/only-on-windows': { version: '2.0.0', optional: true },
    'node_modules/@ours/x': { link: true }
  })
})

test('a clone without node_modules is installed', () => {
  expect(findStaleDependency(root)).toBe('nothing is installed yet')
})

test('what npm installed from this lockfile stays', () => {
  mkdirSync(join(root, 'node_modules/@ours/x'), { recursive: true })
  installed({ 'node_modules/a': one })
  expect(findStaleDependency(root)).toBeUndefined()
})

test('another version, another content, a missing package or a missing link is named', () => {
  mkdirSync(join(root, 'node_modules/@ours'), { recursive: true })
  for (const wrong of [
    { ...one, version: '1.0.1' },
    { ...one, integrity: 'sha512-b' },
    undefined
  ]) {
    installed({ 'node_modules/a': wrong })
    expect(findStaleDependency(root)).toBe('node_modules/a')
  }
  installed({ 'node_modules/a': one })
  expect(findStaleDependency(root)).toBe('node_modules/@ours/x')
})
