// A collection with data of every kind, in a directory store, in two versions. A replica serves the
// first version. Every kind of file of the second version is damaged, one after the other.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeRecord } from '@likeness/api/idempotency/record'
import { createReplica } from '@likeness/engine'
import type { Replica } from '@likeness/engine/contract'
import { createGallery, type Gallery } from '@likeness/engine/testing/gallery'
import {
  manifestFiles,
  readCommitted,
  readPart,
  readStateLines
} from '@likeness/engine/testing/internals'
import { itemsFrom } from '@likeness/engine/testing/test-items'
import { catalogKey, idempotencyKey } from '@likeness/shared/contract/keys'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { smallState } from '@likeness/engine/testing/small-state'
import { openDirectoryStore } from '@likeness/store/directory-store'
import { filesOf } from './stored-file.ts'

/**
 * Kinds of files, each with a test for keys. The newest file of each kind is damaged, or any of the
 * segment files.
 */
const kinds = {
  index: /\/seg\/.*\.index$/,
  meta: /\/seg\/.*\.meta$/,
  payload: /\/seg\/.*\.payload$/,
  columns: /\/seg\/.*\.columns$/,
  vectors: /\/seg\/.*\.vectors$/,
  'deletion bitmap': /\/del\/[^.]*\.[^.]*$/,
  'relabel overlay': /\/del\/.*\.relabels$/,
  manifest: /\/man\//,
  CURRENT: /^c\/.*\/CURRENT$/,
  'state lines': /\/side\/.*\.state$/,
  'newer state lines': /\/side\/.*\.delta$/,
  'page of jobs': /\/side\/.*\.jobs$/,
  quantizer: /\.quantizer$/,
  'manifest of a snapshot': /\/man\//,
  'applied log slot': /\/log\//,
  'log slot': /\/log\//,
  'item list': /\/ing\//,
  'applied vector batch': /\/batch\//,
  'vector batch': /\/batch\//,
  'applied shared batch': /\/arr\//,
  'shared batch': /\/arr\//,
  catalogue: /^catalog\/CURRENT$/,
  'name of a collection': /^catalog\/n\//,
  'ended jobs': /\/job\/.*\.ended$/,
  'failed items': /\.failed\.ndjson$/,
  'idempotency record': /^idem\//
} as const
export type Kind = keyof typeof kinds
export const storedKinds = Object.keys(kinds) as Kind[]

export interface DamagedGallery {
  gallery: Gallery
  dir: string
  /** Serves the first version and has never loaded the second. */
  old: { replica: Replica; seq: number; ids: string[]; forgetNewer(): Promise<void> }
  /** Ids of the second version. */
  ids: string[]
  seq: number
  open: { ingestion: string; firstOrdinal: number; size: number }
  /** A small upload whose shared batch is not taken yet. */
  small: string
  finished: string
  keysOf: Map<Kind, string[]>
  /** Path of a file for each key. */
  files: Map<string, string>
  /** `cacheDir`: the folder of the collection's files. */
  newReplica(): Promise<{ replica: Replica; cacheDir: string; close(): Promise<void> }>
  close(): Promise<void>
}

export async function idsOf(
  replica: Replica,
  collectionId: string,
  consistency: 'strong' | 'eventual'
): Promise<{ seq: number; ids: string[] }> {
  const reader = await replica.acquire(collectionId, { consistency, timeoutMs: 30_000 })
  try {
    const ids: string[] = []
    for await (const { id, label } of reader.scroll()) ids.push(`${id} ${label}`)
    return { seq: reader.seq, ids: ids.sort() }
  } finally {
    reader.release()
  }
}

export async function createDamagedGallery(): Promise<DamagedGallery> {
  const dir = await mkdtemp(join(tmpdir(), 'likeness-damage-'))
  const store = await openDirectoryStore({ root: join(dir, 'store') })
  const gallery = await createGallery({
    store,
    method: 'IVF',
    metric: 'cosine',
    storage: 'sq8',
    rescore: true,
    sealThreshold: 64,
    retentionMs: 3_600_000,
    stateShape: { ...smallState, jobsOfPage: 1 }
  })
  const { spec } = gallery
  let replicas = 0
  const newReplica = async () => {
    const root = join(dir, `replica-${++replicas}`)
    const cacheDir = join(root, spec.collectionId)
    const replica = createReplica({
      store,
      clock: systemClock,
      logger: silentLogger(),
      cacheDir: root,
      pollMs: 3_600_000
    })
    const close = async () => {
      await replica.close()
      // A download that was aborted may still write a file.
      await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
    }
    return { replica, cacheDir, close }
  }
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, 20))
  const first = await newReplica()
  const served = await idsOf(first.replica, spec.collectionId, 'strong')
  const local = new Set(await readdir(first.cacheDir))
  /**
   * Deletes the complete copies of other files of the second version that an earlier try has
   * fetched.
   */
  const forgetNewer = async () => {
    for (const name of await readdir(first.cacheDir))
      if (!local.has(name)) await rm(join(first.cacheDir, name))
  }
  const old = { replica: first.replica, ...served, forgetNewer }
  const before = new Set(await gallery.storedKeys(''))

  await gallery.operate({ kind: 'take_snapshot', name: 'kept' })
  const finished = await gallery.add(writer, [
    ...itemsFrom(1_000, 540),
    { id: 'bad', fails: 'image_corrupt' }
  ])
  while (await writer.merge());
  await gallery.add(writer, itemsFrom(2_000, 10))
  const open = await gallery.accept([{ id: 'early' }, { id: 'late' }, { id: 'never' }])
  await gallery.embed(
    open.ingestion,
    [
      { id: 'early', label: 'e', seeds: [5] },
      { id: 'late', fails: 'image_corrupt' }
    ],
    0
  )
  const accept = async (id: string) => ({
    ...(await gallery.accept([{ id }], { inline: true })),
    items: [{ id, label: 's', seeds: [7] }]
  })
  await gallery.embedShared([await accept('small'), await accept('tiny')])
  const small = await accept('waiting')
  // Many lines of the state, which become a base, and then some newer ones.
  await gallery.remove(...Array.from({ length: 24 }, (_, n) => `unknown-${n}`))
  while ((await writer.step({ list: true })).more);
  await gallery.remove('item-2', 'item-1000')
  await gallery.relabel(['item-3', 'item-1001', 'never'], { label: 'new' })
  await gallery.operate({ kind: 'delete_where', filter: { label: 'nothing' } })
  while ((await writer.step({ list: true })).more);
  const applied = await gallery.storedKeys('')
  const fresh = await newReplica()
  const { seq, ids } = await idsOf(fresh.replica, spec.collectionId, 'strong')
  await fresh.close()
  // Log entries that the next writer must still read.
  await gallery.embed(open.ingestion, [{ id: 'never', label: 'n', seeds: [6] }], 2)
  await gallery.embedShared([small])
  await gallery.remove('item-4')
  await gallery.operate({ kind: 'compact' })
  await store.put(
    idempotencyKey(1, 'POST /v1/collections', 'key'),
    encodeRecord({ state: 'done', fingerprint: 'f', atMs: 1, status: 202, body: { job: 'j' } })
  )

  const manifest = (await readCommitted(store, spec.collectionId))!
  const { snapshots } = manifest
  const content = await readStateLines(manifest.state, (ref) => readPart(store, ref))
  const { revision } = await gallery.jobs.status(finished)
  const page = [...content.of('page').values()].find(({ first }) => first === revision)!.file.key
  const committed = new Set([...manifestFiles(manifest), page])
  const all = await gallery.storedKeys('')
  const isApplied = new Set(applied)
  const manifests = all.filter((key) => kinds.manifest.test(key))
  const named = new Set([
    ...all.filter((key) => !before.has(key) || key.endsWith('CURRENT')),
    ...Object.values(snapshots).map((snapshot) => snapshot.manifest)
  ])
  const chosen = (kind: Kind): string[] => {
    const found = [...named].filter((key) => kinds[kind].test(key))
    if (kind === 'manifest') return [manifests.at(-1)!]
    if (kind === 'manifest of a snapshot') return [snapshots.kept!.manifest]
    if (kind.startsWith('applied')) return found.filter((key) => isApplied.has(key))
    if (kind === 'log slot' || kind === 'vector batch' || kind === 'shared batch')
      return found.filter((key) => !isApplied.has(key))
    if (kind === 'item list') return found.filter((key) => key.includes(open.ingestion))
    if (kind === 'failed items') return found.filter((key) => key.includes(finished))
    if (kind === 'name of a collection') return all.filter((key) => kinds[kind].test(key))
    return kind === 'catalogue' ? [catalogKey] : found
  }
  const isOfVersion = (key: string): boolean =>
    !/\/(seg|del|side)\//.test(key) || committed.has(key)
  const keysOf = new Map(storedKinds.map((kind) => [kind, chosen(kind).filter(isOfVersion)]))
  return {
    gallery,
    dir,
    old,
    ids,
    seq,
    finished,
    keysOf,
    newReplica,
    open: { ingestion: open.ingestion, firstOrdinal: 0, size: 3 },
    small: small.ingestion,
    files: await filesOf(store, join(dir, 'store'), [...keysOf.values()].flat()),
    async close() {
      await first.close()
      await gallery.close()
      await store.close()
      await rm(dir, { recursive: true, force: true })
    }
  }
}
