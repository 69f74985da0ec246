// A write stops at each of its steps while other operations run to their end. Then the write
// continues. The results must be equal to some order of whole operations. A write that never
// continues shows the state after kill -9.
import { mkdtemp, readdir, utimes } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { cleanDirectory } from '../src/directory-cleanup.ts'
import { directoryPaths } from '../src/directory-paths.ts'
import { openDirectoryStore } from '../src/directory-store.ts'
import {
  allowed,
  neverHappened,
  type Operation,
  stallAt,
  type Start
} from '../src/interleaving-model.ts'
import type { ObjectStore } from '../src/object-store.ts'

type Stalling = 'put' | 'create' | 'swap' | 'delete' | 'get'
type Initial = 'absent' | 'plain' | 'swapped'

const key = 'c/CURRENT'
const initials: Initial[] = ['absent', 'plain', 'swapped']
/** Steps where each write may stop. A read also has a step: between the look and the check. */
const steps: Record<Stalling, string[]> = {
  put: ['written', 'before rename', 'renamed'],
  create: ['written', 'before create', 'created'],
  swap: ['opened', 'evaluated', 'before versions', 'written', 'before link', 'linked', 'durable'],
  delete: ['unlinked'],
  get: ['opened', 'evaluated']
}
const meanwhile: Operation[][] = [
  ['get'],
  ['put', 'get'],
  ['create', 'get'],
  ['swap', 'get'],
  ['get', 'swap', 'get'],
  ['swap', 'swap', 'get'],
  ['delete', 'get'],
  ['delete', 'create', 'get'],
  ['delete', 'put', 'swap', 'get'],
  ['swap', 'delete', 'create', 'swap', 'swap stale', 'get'],
  ['swap 40 times', 'get'],
  ['put', 'swap', 'put', 'get']
]

let root = ''
beforeEach(async () => {
  root = temporaryFolder('interleaving')
})

for (const initial of initials) {
  for (const first of Object.keys(steps) as Stalling[]) {
    const reachable = steps[first].filter((step) => comesTo(initial, first, step))
    if (reachable.length === 0) continue
    it(`keeps one order of whole operations when a ${first} on a key that is ${initial} stalls anywhere`, async () => {
      for (const step of reachable)
        for (const others of meanwhile) await stallThere({ initial, first, step, others })
    })
  }
}

function comesTo(initial: Initial, first: Stalling, step: string): boolean {
  if (first === 'create') return initial === 'absent'
  if (first === 'get' || first === 'swap')
    return initial !== 'absent' && (initial === 'plain' || step !== 'before versions')
  return true
}

it('lets one of two writers win that both stopped right before they take effect', async () => {
  const { folder, etag } = await counterAt(0)
  const [early, late] = [stallAt('linked'), stallAt('before link')]
  const winner = await openDirectoryStore({ root: folder, onStep: early.onStep })
  const loser = await openDirectoryStore({ root: folder, onStep: late.onStep })
  late.arm()
  const losing = loser.putIf(key, Buffer.from('loser'), { ifMatch: etag })
  await late.stalled
  early.arm()
  const winning = winner.putIf(key, Buffer.from('winner'), { ifMatch: etag })
  await early.stalled
  late.release()
  expect(await losing).toBeUndefined()
  early.release()
  expect(await winning).toBeDefined()
  expect(Buffer.from((await loser.get(key))?.body ?? []).toString()).toBe('winner')
  await winner.close()
  await loser.close()
})

it('cleans old bodies away without touching a write that has just happened', async () => {
  // The next write is the 32nd write, which cleans.
  const { folder, etag } = await counterAt(31)
  const [cleaning, writing] = [stallAt('before clean'), stallAt('linked')]
  const cleaner = await openDirectoryStore({ root: folder, onStep: cleaning.onStep })
  const writer = await openDirectoryStore({ root: folder, onStep: writing.onStep })
  cleaning.arm()
  const cleaned = cleaner.putIf(key, Buffer.from('32'), { ifMatch: etag })
  await cleaning.stalled
  writing.arm()
  const written = writer.putIf(key, Buffer.from('33'), {
    ifMatch: (await writer.get(key))?.etag ?? ''
  })
  await writing.stalled
  await makeOld(path.join(folder, 'versions'))
  cleaning.release()
  expect(await cleaned).toBeDefined()
  writing.release()
  expect(await written).toBeDefined()
  expect(Buffer.from((await writer.get(key))?.body ?? []).toString()).toBe('33')
  await cleaner.close()
  await writer.close()
})

async function counterAt(count: number): Promise<{ folder: string; etag: string }> {
  const folder = await mkdtemp(path.join(root, 'counter-'))
  const store = await openDirectoryStore({ root: folder })
  let { etag } = await store.put(key, Buffer.from('start'))
  for (let i = 1; i <= count; i++)
    etag = (await store.putIf(key, Buffer.from(`${i}`), { ifMatch: etag }))?.etag ?? ''
  await store.close()
  return { folder, etag }
}

async function makeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true }))
    await utimes(path.join(folder, name), 1, 1)
}

async function stallThere(scene: {
  initial: Initial
  first: Stalling
  step: string
  others: Operation[]
}): Promise<void> {
  const folder = await mkdtemp(path.join(root, 'scene-'))
  const gate = stallAt(scene.step)
  const store = await openDirectoryStore({ root: folder })
  const slow = await openDirectoryStore({ root: folder, onStep: gate.onStep })
  const start = await prepare(store, scene.initial)
  gate.arm()
  const going = createActor(slow, 'first', start)(scene.first)
  await gate.stalled

  const others = createActor(store, 'other', start)
  const seen: string[] = []
  for (const operation of scene.others) {
    seen.push(await others(operation))
    // The files that cleaning removes must not be in use.
    await cleanDirectory(directoryPaths(folder), 3_600_000)
  }
  const where = JSON.stringify({ ...scene, seen })
  expect([...allowed(scene, start), neverHappened(scene, start)].map(ofOthers), where).toContain(
    JSON.stringify(seen)
  )
  gate.release()
  const firstSaw = await going
  expect(allowed(scene, start), `${where} ${firstSaw}`).toContain(
    JSON.stringify([firstSaw, ...seen, await others('get')])
  )
  expect(await temporaryFiles(folder)).toEqual([])
  await store.close()
  await slow.close()
}

function ofOthers(outcome: string): string {
  return JSON.stringify((JSON.parse(outcome) as string[]).slice(1, -1))
}

/**
 * Returns the answer of each operation as text: the value of a read, or whether a write succeeded.
 */
function createActor(store: ObjectStore, name: string, start: Start) {
  let etag = start.etag
  let writes = 0
  return async function run(operation: Operation): Promise<string> {
    const body = Buffer.from(`${name}${(writes += 1)}`)
    if (operation === 'get') {
      const found = await store.get(key)
      if (name === 'other') etag = found?.etag ?? etag
      return found ? Buffer.from(found.body).toString() : 'absent'
    }
    if (operation === 'put') etag = (await store.put(key, body)).etag
    if (operation === 'delete') await store.delete([key])
    if (operation === 'put' || operation === 'delete') return 'done'
    if (operation === 'swap 40 times') return swapOften(store, (next) => (etag = next), etag)
    const condition =
      operation === 'create'
        ? { create: true as const }
        : { ifMatch: operation === 'swap' ? etag : start.etag }
    const won = await store.putIf(key, body, condition)
    if (won) etag = won.etag
    return won ? 'held' : 'not held'
  }
}

async function swapOften(
  store: ObjectStore,
  onEtag: (etag: string) => void,
  from: string
): Promise<string> {
  let etag = from
  let held = 0
  for (let i = 1; i <= 40; i++) {
    const won = await store.putIf(key, Buffer.from(`often${i}`), { ifMatch: etag })
    if (!won) break
    held += 1
    onEtag((etag = won.etag))
  }
  return `held ${held}`
}

async function prepare(store: ObjectStore, initial: Initial): Promise<Start> {
  if (initial === 'absent') return { value: 'absent', etag: '0'.repeat(32) }
  let etag = (await store.put(key, Buffer.from('start'))).etag
  if (initial === 'plain') return { value: 'start', etag }
  for (const value of ['start2', 'start3'])
    etag = (await store.putIf(key, Buffer.from(value), { ifMatch: etag }))?.etag ?? ''
  return { value: 'start3', etag }
}

/**
 * Lists files without directories. Versions of deleted objects wait in directories for a later
 * cleaning.
 */
async function temporaryFiles(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(folder, 'tmp'), { withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}
