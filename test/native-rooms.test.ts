// Checks that includes in the native code go down the floors of the rooms. Reads every include of
// every file.
import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { expect, test } from 'vitest'

const native = join(import.meta.dirname, '../packages/faiss/native')
/** Rooms from the lowest floor up. Rooms on one floor may not include each other. */
const floors: readonly (readonly string[])[] = [
  ['base'],
  ['kernels', 'foreign'],
  ['index'],
  ['search'],
  ['napi']
]
const includePattern = /^\s*#\s*include\s*"([^"\n]+)"/gm

const roomOf = (file: string): string => file.split('/')[0]!
const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room))

/**
 * Returns the fault of one include of a file, both as paths from native/; undefined when the
 * include is allowed.
 */
function findFault(file: string, target: string): string | undefined {
  const [room, other] = [roomOf(file), roomOf(target)]
  if (floorOf(room) < 0) return `${file} is in no room`
  if (floorOf(other) < 0 || !target.includes('/'))
    return `${file} includes ${target}, which is in no room`
  if (room === other || floorOf(other) < floorOf(room)) return undefined
  return `${file} includes ${target}, which is not below it`
}

const files = readdirSync(native, { recursive: true, encoding: 'utf8' })
  .map((found) => found.split(sep).join('/'))
  .filter((file) => /\.(cc|h)$/.test(file))
const includesOf = (file: string): string[] =>
  [...readFileSync(join(native, file), 'utf8').matchAll(includePattern)].map((match) => match[1]!)

test('every native file includes only what lies in its room or on a floor below', () => {
  const includes = files.flatMap((file) => includesOf(file).map((target) => ({ file, target })))
  expect(includes.length).toBeGreaterThan(100)
  expect(
    includes
      .map(({ file, target }) => findFault(file, target))
      .filter((fault) => fault !== undefined)
  ).toEqual([])
  expect(includes.filter(({ target }) => !files.includes(target))).toEqual([])
})

test('every native file is in a room, and every room has files', () => {
  expect(files.filter((file) => !file.includes('/') || floorOf(roomOf(file)) < 0)).toEqual([])
  expect([...new Set(files.map(roomOf))].sort()).toEqual(floors.flat().sort())
})

test('an include that runs up, to a room beside or to none is found', () => {
  expect(findFault('index/codebook.h', 'napi/args.h')).toMatch(/not below/)
  expect(findFault('base/pool.cc', 'kernels/kernels.h')).toMatch(/not below/)
  expect(findFault('foreign/foreign_index.cc', 'kernels/kernels.h')).toMatch(/not below/)
  expect(findFault('index/codebook.cc', 'storage/forms.h')).toMatch(/in no room/)
  expect(findFault('index/codebook.cc', 'codebook.h')).toMatch(/in no room/)
  expect(findFault('codebook.cc', 'base/pool.h')).toMatch(/in no room/)
  expect(findFault('index/codebook.cc', 'index/codebook.h')).toBeUndefined()
  expect(findFault('napi/args.cc', 'base/coded_error.h')).toBeUndefined()
})
