// Garbage collection by the writer. Files that no retained manifest names are deleted, after
// CURRENT was moved so that no process can still commit them.
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import { appError, type AppError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'
import { type Base, baseFiles, readBase } from '../base/base.ts'
import type { BaseRef } from '../state/history.ts'
import { manifestFiles, readManifest } from '../version/manifest.ts'

export interface CollectionDeps {
  store: ObjectStore
  clock: Clock
  keys: CollectionKeys
  /** Time for which a superseded manifest may still be read. */
  retentionMs: number
}

interface Found {
  key: string
  commitId: string
  parent: string | null
  createdAtMs: number
  files: string[]
  base: BaseRef | null
  /** Manifests that the snapshots of this one keep. */
  snapshots: string[]
}

interface FoundBase {
  /** Its own key, and all that it names. */
  files: string[]
  previous: BaseRef | null
}

/** Manifests and bases are immutable, so each is read once. */
export interface GarbageCache {
  manifests: Map<string, Found>
  bases: Map<string, FoundBase>
}
export const emptyCache = (): GarbageCache => ({ manifests: new Map(), bases: new Map() })

/** Returns undefined when the manifest is gone by now. */
async function readFound(store: ObjectStore, key: string): Promise<Found | undefined> {
  const manifest = await readManifest(store, key)
  if (manifest === undefined) return undefined
  const { commitId, parent, createdAtMs } = manifest
  return {
    key,
    commitId,
    parent,
    createdAtMs,
    files: manifestFiles(manifest),
    base: manifest.history?.base ?? null,
    snapshots: Object.values(manifest.snapshots).map((snapshot) => snapshot.manifest)
  }
}

/** `damaged`: the error by key. */
async function readManifests(
  { store, keys }: CollectionDeps,
  cache: GarbageCache['manifests']
): Promise<{ found: Found[]; damaged: Map<string, AppError> }> {
  const found: Found[] = []
  const damaged = new Map<string, AppError>()
  for await (const { key } of store.list(keys.manifestPrefix)) {
    try {
      const entry = cache.get(key) ?? (await readFound(store, key))
      if (entry === undefined) continue
      cache.set(key, entry)
      found.push(entry)
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      damaged.set(key, error)
    }
  }
  for (const key of cache.keys()) if (!found.some((entry) => entry.key === key)) cache.delete(key)
  return { found, damaged }
}

/**
 * Returns a needed manifest. Throws data_corrupt or object_not_found when the manifest cannot be
 * read, because the files that it keeps are then unknown.
 */
function mustHave(
  { found, damaged }: Awaited<ReturnType<typeof readManifests>>,
  key: string
): Found {
  const entry = found.find((one) => one.key === key)
  if (entry === undefined)
    throw (
      damaged.get(key) ??
      appError('object_not_found', `${key}, named by CURRENT or a snapshot, is missing`)
    )
  return entry
}

/**
 * Returns the manifests that may still be used: the committed one, those of its snapshots, and
 * those superseded more recently than the retention. Any other damaged manifest is useless.
 */
function retained(
  read: Awaited<ReturnType<typeof readManifests>>,
  committed: string,
  retentionMs: number,
  nowMs: number
): Found[] {
  const { found } = read
  const supersededAtMs = new Map(found.map(({ parent, createdAtMs }) => [parent, createdAtMs]))
  const { snapshots } = mustHave(read, committed)
  const kept = new Set([committed, ...snapshots.map((key) => mustHave(read, key).key)])
  return found.filter(
    ({ key, commitId, createdAtMs }) =>
      kept.has(key) || nowMs - (supersededAtMs.get(commitId) ?? createdAtMs) < retentionMs
  )
}

/**
 * Returns the bases of the versions, each with the one before it, and all that these name. The one
 * before takes the place of a damaged one.
 */
async function filesOfBases(
  store: ObjectStore,
  cache: GarbageCache['bases'],
  kept: readonly Found[]
): Promise<string[]> {
  const found = new Map<string, FoundBase>()
  const add = async (ref: BaseRef): Promise<FoundBase> => {
    const known = cache.get(ref.key)
    const one = known ?? namedBy(ref, await readBase(store, ref))
    found.set(ref.key, one)
    return one
  }
  for (const { base } of kept) {
    const previous = base && (await add(base)).previous
    if (previous !== null) await add(previous)
  }
  cache.clear()
  for (const [key, one] of found) cache.set(key, one)
  return [...found.values()].flatMap(({ files }) => files)
}

const namedBy = ({ key }: BaseRef, base: Base): FoundBase => ({
  files: [key, ...baseFiles(base).map((file) => file.key)],
  previous: base.previous
})

/**
 * Returns the keys that can be deleted after CURRENT has moved. They are found before that, so
 * later writes are never among them. `held`: returns ids of files that running merges of this
 * writer write. `held` is called after all listings, because a merge may begin meanwhile.
 * Throws data_corrupt or object_not_found when the answer cannot be known.
 */
export async function findGarbage(
  deps: CollectionDeps,
  cache: GarbageCache,
  committed: string,
  held: () => ReadonlySet<string>
): Promise<string[]> {
  return await retryStore(deps.clock, async () => {
    const { store, keys } = deps
    const listed: string[] = []
    for (const prefix of [
      keys.segmentPrefix,
      keys.deletionPrefix,
      keys.sidePrefix,
      // Bases before their packs: a base that is found without its packs would be damage.
      keys.basePrefix,
      keys.packPrefix
    ]) {
      for await (const { key } of store.list(prefix)) listed.push(key)
    }
    // Manifests are read after the files are listed. So a manifest that names a listed file cannot
    // be missed.
    const read = await readManifests(deps, cache.manifests)
    const kept = retained(read, committed, deps.retentionMs, deps.clock.nowMs())
    const roots = new Set(kept.flatMap(({ key, files }) => [key, ...files]))
    // A snapshot is made again from the newest base, not from the base of its own version.
    const snapshots = new Set(mustHave(read, committed).snapshots)
    const versions = kept.filter(({ key }) => !snapshots.has(key))
    for (const key of await filesOfBases(store, cache.bases, versions)) roots.add(key)
    const ids = held()
    const isHeld = (key: string): boolean =>
      ids.has(key) || key.split(/[/.]/).some((id) => ids.has(id))
    return [...listed, ...read.found.map(({ key }) => key), ...read.damaged.keys()].filter(
      (key) => !roots.has(key) && !isHeld(key)
    )
  })
}
