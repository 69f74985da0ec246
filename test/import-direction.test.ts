// Checks that imports point one way (docs/architecture.md): between workspaces, between the rooms
// of each workspace, and never in a circle. Reads every import of every source file, also of types.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { expect, test } from 'vitest'
import { findCircles } from './support/import-circles.ts'

const root = join(import.meta.dirname, '..')
const packages = ['shared', 'store', 'faiss', 'engine', 'vision', 'drawing']
const allowed: Record<string, readonly string[]> = {
  'packages/shared': [],
  'packages/store': ['shared'],
  'packages/faiss': ['shared'],
  'packages/engine': ['faiss', 'shared', 'store'],
  'packages/vision': ['faiss', 'shared'],
  'packages/drawing': ['shared'],
  'apps/api': ['engine', 'shared', 'store'],
  'apps/index-worker': ['engine', 'shared', 'store'],
  'apps/embed-worker': ['vision', 'shared', 'store'],
  'apps/cli': packages
}

/**
 * Rooms of each workspace, floor by floor from the ground up. A room imports from its own files and
 * from lower floors. A file is a room where this list names the file. Other files beside the rooms
 * combine rooms and may import anything.
 */
const floors: Record<string, readonly string[]> = {
  'packages/shared': ['data errors.ts', 'confidence', 'contract', 'process'],
  'packages/store': [],
  'packages/faiss': ['', 'testing'],
  'packages/engine': [
    'item',
    'catalog-contract.ts columns contract.ts',
    'state',
    'version',
    'base catalog files',
    'vector-index',
    'log segment',
    'history',
    'garbage jobs merge search snapshot-contract.ts verify',
    'apply replica',
    'calibration rebuild trial',
    'writer',
    'index.ts testing'
  ],
  'packages/vision': [
    'no-telemetry.ts',
    'onnx-runtime.ts picture',
    'onnx runtime',
    'fixture semantic',
    'model',
    'learning matching oracle',
    'import',
    'quantize',
    'index.ts'
  ],
  'packages/drawing': ['', 'logo product', 'vehicle'],
  'apps/api': [
    'embedder http idempotency',
    'workers',
    'api-deps.ts',
    'answers',
    'search',
    'ingest',
    'mutations',
    'routes',
    'openapi',
    'app.ts',
    'test-support'
  ],
  'apps/index-worker': ['merge sharing', 'start.ts', 'testing'],
  'apps/embed-worker': ['child pool', 'chunk embed-server', 'start.ts'],
  'apps/cli': [
    'api gallery-config id-map pictures stack',
    'connect model',
    'demo',
    'export plan profile sampling search serve tune',
    'admin doctor gallery',
    'examples import-gallery',
    'evaluation',
    'calibrate',
    'main.ts'
  ]
}
const importPattern =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\bimport\.meta\.resolve\(\s*)(['"])([^'"\n]+)\1/g

/** Names `file` and its imports as paths from the root, and packages by name. */
interface Source {
  workspace: string
  file: string
  imports: string[]
}

function sourcesOf(workspace: string): Source[] {
  const found = readdirSync(join(root, workspace, 'src'), { recursive: true, encoding: 'utf8' })
  return found
    .map((path) => `${workspace}/src/${path.split(sep).join('/')}`)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      return { workspace, file, imports: [...text.matchAll(importPattern)].map((m) => m[2]!) }
    })
}

const pathOf = (file: string, target: string): string =>
  relative(root, join(root, dirname(file), target))
    .split(sep)
    .join('/')

/** Returns the fault of an import between workspaces, or undefined. */
function findFault(workspace: string, file: string, target: string): string | undefined {
  const own = workspace.split('/')[1]!
  const ours = /^@likeness\/([^/]+)/.exec(target)?.[1]
  const isAllowed = ours === own || (ours !== undefined && allowed[workspace]!.includes(ours))
  if (ours !== undefined) return isAllowed ? undefined : `${file} imports ${target}`
  if (!target.startsWith('.') || pathOf(file, target).startsWith(`${workspace}/`)) return undefined
  // Code for tests may use all shared code for tests.
  const isForTests =
    /\/test-support\//.test(file) && pathOf(file, target).startsWith('test/support/')
  if (isForTests) return undefined
  return `${file} imports ${target}, outside its workspace`
}

/** Returns the folder or file directly under src. */
const roomOf = (workspace: string, path: string): string =>
  path.slice(`${workspace}/src/`.length).split('/')[0]!

const floorOf = (workspace: string, room: string): number =>
  floors[workspace]!.findIndex((rooms) => rooms.split(' ').includes(room))

/** Returns the fault of an import between rooms, or undefined. */
function findRoomFault(workspace: string, file: string, target: string): string | undefined {
  if (!pathOf(file, target).startsWith(`${workspace}/`)) return undefined
  const [from, to] = [roomOf(workspace, file), roomOf(workspace, pathOf(file, target))]
  const [above, below] = [floorOf(workspace, from), floorOf(workspace, to)]
  const isFree = from === to || from.endsWith('.ts') || to.endsWith('.ts')
  if (isFree && (above < 0 || below < 0 || from === to)) return undefined
  return above > below && below >= 0 ? undefined : `${file} (${from}) imports ${target} (${to})`
}

const sources = Object.keys(allowed).flatMap(sourcesOf)
const breaches = (find: typeof findFault, of: (target: string) => boolean): string[] =>
  sources.flatMap(({ workspace, file, imports }) =>
    imports.filter(of).flatMap((target) => find(workspace, file, target) ?? [])
  )

test('every package and app imports only what the direction of imports allows', () => {
  expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(1000)
  expect(breaches(findFault, () => true)).toEqual([])
})

test('no room imports from a floor above its own, and every folder is a room of the table', () => {
  expect(breaches(findRoomFault, (target) => target.startsWith('.'))).toEqual([])
  const folders = sources.filter(({ workspace, file }) => !roomOf(workspace, file).endsWith('.ts'))
  const unknown = folders.filter(
    ({ workspace, file }) => floorOf(workspace, roomOf(workspace, file)) < 0
  )
  expect(unknown.map(({ file }) => file)).toEqual([])
})

test('no file imports itself by way of others', () => {
  const graph = sources.map(({ file, imports }): [string, string[]] => [
    file,
    imports.filter((target) => target.startsWith('.')).map((target) => pathOf(file, target))
  ])
  expect(findCircles(new Map(graph))).toEqual([])
})

test('an import against the direction is found', () => {
  const shared = 'packages/shared'
  expect(findFault(shared, `${shared}/src/a.ts`, '@likeness/engine')).toMatch(
    /imports @likeness\/engine/
  )
  expect(findFault('apps/api', 'apps/api/src/a.ts', '@likeness/vision/embedder')).toBeDefined()
  expect(findFault('apps/api', 'apps/api/src/a.ts', '@likeness/cli/main')).toBeDefined()
  expect(
    findFault('apps/api', 'apps/api/src/routes/a.ts', '../../../embed-worker/src/main.ts')
  ).toMatch(/outside/)
  expect(findFault('apps/api', 'apps/api/src/routes/a.ts', '../app.ts')).toBeUndefined()
  expect(findFault('apps/cli', 'apps/cli/src/a.ts', '@likeness/vision')).toBeUndefined()
})

test('an import between rooms against the order is found, and a circle', () => {
  const engine = 'packages/engine'
  const fault = (file: string, target: string) =>
    findRoomFault(engine, `${engine}/src/${file}`, target)
  expect(fault('item/a.ts', '../writer/b.ts')).toBeDefined()
  expect(fault('merge/a.ts', '../search/b.ts')).toBeDefined()
  expect(fault('item/a.ts', '../contract.ts')).toBeDefined()
  expect(fault('item/a.ts', '../attic/b.ts')).toBeDefined()
  expect(fault('writer/a.ts', '../item/b.ts')).toBeUndefined()
  expect(fault('writer/a.ts', './b.ts')).toBeUndefined()
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']]
  ])
  expect(findCircles(graph)).toEqual([['b', 'c']])
})
