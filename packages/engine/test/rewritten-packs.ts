// Packs that are written anew under other names, with a base that names them.
import { encodeObject } from '@likeness/shared/contract/checked-object'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createUlid } from '@likeness/shared/data/ulid'
import { type Base, encodeBase, packFiles, type PackRef, refOf } from '../src/base/base.ts'
import { type PackDirectory, readDirectory } from '../src/base/pack.ts'
import { encodeCurrent, readCurrent } from '../src/version/current.ts'
import { encodeManifest } from '../src/version/manifest.ts'
import { base, gallery, version } from './folded-gallery.ts'

/** Makes another base the newest one, as a later fold would. */
export async function commitBase(next: Base): Promise<void> {
  const { store, keys } = gallery
  const key = keys.base(next.appliedSlot, next.epoch, createUlid())
  const body = encodeBase(next)
  await store.put(key, body)
  const ref = refOf({ key, sizeBytes: body.byteLength, sha256: sha256Hex(body) }, next)
  const manifest = await version()
  const written = encodeManifest({ ...manifest, history: { ...manifest.history!, base: ref } })
  const name = keys.manifest(manifest.seq, manifest.epoch, createUlid())
  await store.put(name, written)
  const { current } = (await readCurrent(store, keys.current))!
  const moved = { ...current, manifest: name, sha256: sha256Hex(written) }
  await store.put(keys.current, encodeCurrent(moved))
}

/** Writes the packs under other names, and deletes the former ones. */
export async function rewritePacks(
  change: (directory: PackDirectory) => PackDirectory
): Promise<void> {
  const { store, keys } = gallery
  const former = await base()
  const foldId = createUlid()
  const put = async (key: string, body: Uint8Array) => {
    await store.put(key, body)
    return { key, sizeBytes: body.byteLength, sha256: sha256Hex(body) }
  }
  const copy = async (key: string, from: string) => await put(key, (await store.get(from))!.body)
  const packs = await Promise.all(
    former.packs.map(async (pack, n): Promise<PackRef> => {
      const directory = change(await readDirectory(store, pack))
      return {
        ...pack,
        items: await copy(keys.pack(foldId, n, 'items'), pack.items.key),
        raw: pack.raw && (await copy(keys.pack(foldId, n, 'raw'), pack.raw.key)),
        directory: await put(keys.pack(foldId, n, 'directory'), encodeObject(directory))
      }
    })
  )
  await commitBase({ ...former, packs })
  await store.delete(former.packs.flatMap(packFiles).map(({ key }) => key))
}
