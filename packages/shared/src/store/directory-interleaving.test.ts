// One write stalls at each of its steps while others run to their end; then it goes on. Whatever was seen must be what
// some order of whole operations would have shown. A write that never goes on is what kill -9 leaves.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { directoryPaths } from './directory-paths.ts'
import { openDirectoryStore } from './directory-store.ts'
import { sweepDirectory } from './directory-sweep.ts'
import type { ObjectStore } from './object-store.ts'

type Operation = 'put' | 'create' | 'swap' | 'swap stale' | 'delete' | 'get' | 'swap 40 times'
type Stalling = 'put' | 'create' | 'swap' | 'delete' | 'get'
type Initial = 'absent' | 'plain' | 'swapped'

const key = 'c/CURRENT'
const initials: Initial[] = ['absent', 'plain', 'swapped']
/** Where each write may stall. A read has a step of its own too: between looking and being sure. */
const steps: Record<Stalling, string[]> = {
  put: ['written', 'before rename', 'renamed'],
  create: ['written', 'before create', 'created'],
  swap: ['evaluated', 'before versions', 'written', 'before link', 'linked', 'durable'],
  delete: ['unlinked'],
  get: ['evaluated']
}
const meanwhile: Operation[][] = [
  ['get'], ['put', 'get'], ['create', 'get'], ['swap', 'get'], ['swap', 'swap', 'get'], ['delete', 'get'], ['delete', 'create', 'get'],
  ['delete', 'put', 'swap', 'get'], ['swap', 'delete', 'create', 'swap', 'swap stale', 'get'], ['swap 40 times', 'get'], ['put', 'swap', 'put', 'get']
]

let root = ''
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'likeness-interleaving-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

for (const initial of initials) {
  for (const first of Object.keys(steps) as Stalling[]) {
    const reachable = steps[first].filter((step) => comesTo(initial, first, step))
    if (reachable.length === 0) continue
    it(`keeps one order of whole operations when a ${first} on a key that is ${initial} stalls anywhere`, async () => {
      for (const step of reachable) for (const others of meanwhile) await stallThere({ initial, first, step, others })
    })
  }
}

function comesTo(initial: Initial, first: Stalling, step: string): boolean {
  if (first === 'create') return initial === 'absent'
  if (first === 'get' || first === 'swap') return initial !== 'absent' && (initial === 'plain' || step !== 'before versions')
  return true
}

async function stallThere(scene: { initial: Initial; first: Stalling; step: string; others: Operation[] }): Promise<void> {
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
    // Nothing that a sweep takes away may matter to anybody.
    await sweepDirectory(directoryPaths(folder), 3_600_000)
  }
  const where = JSON.stringify({ ...scene, seen })
  expect([...allowed(scene, start), neverHappened(scene, start)].map(ofOthers), where).toContain(JSON.stringify(seen))
  gate.release()
  const firstSaw = await going
  expect(allowed(scene, start), `${where} ${firstSaw}`).toContain(JSON.stringify([firstSaw, ...seen, await others('get')]))
  expect(await temporaryFiles(folder)).toEqual([])
  await store.close()
  await slow.close()
}

function ofOthers(outcome: string): string {
  return JSON.stringify((JSON.parse(outcome) as string[]).slice(1, -1))
}

/** What each operation answers, as text: the value read, or whether the write held. */
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
    const condition = operation === 'create' ? { create: true as const } : { ifMatch: operation === 'swap' ? etag : start.etag }
    const won = await store.putIf(key, body, condition)
    if (won) etag = won.etag
    return won ? 'held' : 'not held'
  }
}

async function swapOften(store: ObjectStore, onEtag: (etag: string) => void, from: string): Promise<string> {
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

interface Start {
  value: string
  etag: string
}

async function prepare(store: ObjectStore, initial: Initial): Promise<Start> {
  if (initial === 'absent') return { value: 'absent', etag: '0'.repeat(32) }
  let etag = (await store.put(key, Buffer.from('start'))).etag
  if (initial === 'plain') return { value: 'start', etag }
  for (const value of ['start2', 'start3']) etag = (await store.putIf(key, Buffer.from(value), { ifMatch: etag }))?.etag ?? ''
  return { value: 'start3', etag }
}

type Scene = { first: Operation; others: Operation[] }

/** Every outcome of a store in which the first operation happened at one instant among the others. */
function allowed(scene: Scene, start: Start): string[] {
  return Array.from({ length: scene.others.length + 1 }, (_, at) => outcome(scene, start, at))
}

function neverHappened(scene: Scene, start: Start): string {
  return outcome(scene, start, -1)
}

function outcome(scene: Scene, start: Start, at: number): string {
  const model = { value: start.value, tag: 'start' }
  const first = createModelActor(model, 'first')
  const other = createModelActor(model, 'other')
  let firstSaw = ''
  const seen: string[] = []
  for (let i = 0; i <= scene.others.length; i++) {
    if (i === at) firstSaw = first(scene.first)
    const operation = scene.others[i]
    if (operation) seen.push(other(operation))
  }
  return JSON.stringify([firstSaw, ...seen, model.value])
}

function createModelActor(model: { value: string; tag: string }, name: string) {
  let tag = 'start'
  let writes = 0
  const write = (value: string) => {
    model.value = value
    tag = model.tag = `${name} ${value}`
    return 'held'
  }
  return function run(operation: Operation): string {
    const body = `${name}${(writes += 1)}`
    const exists = model.value !== 'absent'
    switch (operation) {
      case 'get':
        if (name === 'other' && exists) tag = model.tag
        return model.value
      case 'put':
        write(body)
        return 'done'
      case 'delete':
        model.value = 'absent'
        return 'done'
      case 'create':
        return exists ? 'not held' : write(body)
      case 'swap':
        return exists && model.tag === tag ? write(body) : 'not held'
      case 'swap stale':
        return exists && model.tag === 'start' ? write(body) : 'not held'
      case 'swap 40 times': {
        if (!exists || model.tag !== tag) return 'held 0'
        for (let i = 1; i <= 40; i++) write(`often${i}`)
        return 'held 40'
      }
    }
  }
}

function stallAt(wanted: string) {
  let armed = false
  let release = () => {}
  let arrive = () => {}
  const stalled = new Promise<void>((resolve) => (arrive = resolve))
  const released = new Promise<void>((resolve) => (release = resolve))
  const onStep = async (step: string) => {
    if (!armed || step !== wanted) return
    armed = false
    arrive()
    await released
  }
  return { onStep, stalled, arm: () => void (armed = true), release: () => release() }
}

/** Directories are left out: versions of objects that are gone wait there for a later sweep. */
async function temporaryFiles(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(folder, 'tmp'), { withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}
