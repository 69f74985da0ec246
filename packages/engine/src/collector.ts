// Garbage collection by the owner: what no retained manifest names is deleted, after CURRENT was moved so that nobody can still commit it.
import type { Clock } from '@likeness/shared/clock'
import type { CollectionKeys } from '@likeness/shared/keys'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { manifestFiles, readManifest } from './manifest.ts'
import { untilStored } from './store-retry.ts'

export interface CollectionDeps {
  store: ObjectStore
  clock: Clock
  keys: CollectionKeys
  /** How long a superseded manifest may still be read. */
  retentionMs: number
}

interface Found {
  key: string
  commitId: string
  parent: string | null
  createdAtMs: number
  files: string[]
  /** Manifests that it keeps by name. */
  snapshots: string[]
}

/** Manifests are immutable: each is read once. */
export type ManifestCache = Map<string, Found>

async function readManifests({ store, keys }: CollectionDeps, cache: ManifestCache): Promise<Found[]> {
  const found: Found[] = []
  for await (const { key } of store.list(keys.manifestPrefix)) {
    let entry = cache.get(key)
    if (entry === undefined) {
      const manifest = await readManifest(store, key)
      if (manifest === undefined) continue
      const { commitId, parent, createdAtMs } = manifest
      entry = { key, commitId, parent, createdAtMs, files: manifestFiles(manifest), snapshots: Object.values(manifest.snapshots).map((snapshot) => snapshot.manifest) }
      cache.set(key, entry)
    }
    found.push(entry)
  }
  for (const key of cache.keys()) if (!found.some((entry) => entry.key === key)) cache.delete(key)
  return found
}

/** Manifests that may still be used: the committed one, its snapshots, and those superseded less than the retention ago. */
function retained(found: readonly Found[], committed: string, retentionMs: number, nowMs: number): Found[] {
  const supersededAtMs = new Map(found.map(({ parent, createdAtMs }) => [parent, createdAtMs]))
  const kept = new Set([committed, ...(found.find(({ key }) => key === committed)?.snapshots ?? [])])
  return found.filter(({ key, commitId, createdAtMs }) => kept.has(key) || nowMs - (supersededAtMs.get(commitId) ?? createdAtMs) < retentionMs)
}

/**
 * Keys that can go once CURRENT has moved, found before that: what is written later is never among them.
 * `held`: ids of files that this owner's merges under way write; asked once everything is listed, as a merge may begin anew meanwhile.
 */
export async function findGarbage(deps: CollectionDeps, cache: ManifestCache, committed: string, held: () => ReadonlySet<string>): Promise<string[]> {
  return await untilStored(deps.clock, async () => {
    const { store, keys } = deps
    const listed: string[] = []
    for (const prefix of [keys.segmentPrefix, keys.deletionPrefix, keys.sidePrefix]) {
      for await (const { key } of store.list(prefix)) listed.push(key)
    }
    // Manifests after the files: a manifest that names a listed file cannot be missed.
    const found = await readManifests(deps, cache)
    const kept = retained(found, committed, deps.retentionMs, deps.clock.nowMs())
    const roots = new Set(kept.flatMap(({ key, files }) => [key, ...files]))
    const ids = [...held()]
    const isHeld = (key: string): boolean => ids.some((id) => key.includes(id))
    return [...listed, ...found.map(({ key }) => key)].filter((key) => !roots.has(key) && !isHeld(key))
  })
}
