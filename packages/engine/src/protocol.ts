// The rules that order and loss depend on, in one place and replaceable, so that the simulation can show that each one is needed.
import type { Clock } from '@likeness/shared/clock'
import type { VectorBatch } from '@likeness/shared/contract/vector-batch'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { readCurrent, swapCurrent } from './current.ts'
import type { Current, VersionedCurrent } from './current.ts'
import { supersedes } from './item-version.ts'
import type { ItemVersion } from './item-version.ts'
import { encodeManifest, sha256Hex } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import { carryOver } from './merge.ts'
import type { AdoptionRules } from './merge.ts'
import type { OrdinalRanges } from './ordinal-ranges.ts'
import { untilStored } from './store-retry.ts'

export interface ProtocolContext {
  store: ObjectStore
  clock: Clock
  currentKey: string
  newId: () => string
  signal?: AbortSignal
}

export interface Protocol extends AdoptionRules {
  /** Raises the epoch, so that every earlier owner's commit fails from here on. undefined: the collection is gone. */
  takeOwnership(context: ProtocolContext): Promise<VersionedCurrent | undefined>
  /** Manifest first, then CURRENT; `announce` only once it is committed. Rejects with ownership_lost. */
  commit(context: ProtocolContext, held: VersionedCurrent, manifest: Manifest, manifestKey: string, announce: () => void): Promise<VersionedCurrent>
  /** Moves CURRENT before files are deleted: whoever prepared a commit before can no longer commit it. */
  fenceCollection(context: ProtocolContext, held: VersionedCurrent): Promise<VersionedCurrent>
  supersedes(next: ItemVersion, current: ItemVersion): boolean
  /** Revision that items have which a restore at `revision` brings back. */
  restoredAt(revision: number): number
  /** False when this ordinal has had its effect already. */
  claim(done: OrdinalRanges, ordinal: number, batchKey: string): boolean
  /** The vectors of a batch that was made for an earlier embedding: of the one that the collection has. */
  reproject(batch: VectorBatch, make: (raw: Uint16Array) => Promise<Float32Array>): Promise<VectorRows>
  /** Makes a shadow hold all that the collection has taken in, before it takes its place. */
  level(catchUp: () => Promise<void>): Promise<void>
}

const lost = (key: string) => appError('ownership_lost', `another writer owns ${key} now`)

async function move(context: ProtocolContext, held: VersionedCurrent, next: Current): Promise<VersionedCurrent> {
  const swap = await swapCurrent({ ...context, key: context.currentKey, next, etag: held.etag })
  if (!swap.won) throw lost(context.currentKey)
  return { current: next, etag: swap.etag }
}

export const realProtocol: Protocol = {
  async takeOwnership(context) {
    const { store, clock, currentKey, newId, signal } = context
    for (;;) {
      const found = await untilStored(clock, () => readCurrent(store, currentKey), signal)
      if (found === undefined) return undefined
      const next = { ...found.current, epoch: found.current.epoch + 1, writeId: newId() }
      const swap = await swapCurrent({ ...context, key: currentKey, next, etag: found.etag })
      if (swap.won) return { current: next, etag: swap.etag }
    }
  },
  async commit(context, held, manifest, manifestKey, announce) {
    const body = encodeManifest(manifest)
    await untilStored(context.clock, () => context.store.put(manifestKey, body), context.signal)
    const { seq, commitId } = manifest
    const next = { ...held.current, seq, commitId, manifest: manifestKey, sha256: sha256Hex(body), writeId: context.newId() }
    const moved = await move(context, held, next)
    announce()
    return moved
  },
  fenceCollection: (context, held) => move(context, held, { ...held.current, writeId: context.newId() }),
  supersedes,
  restoredAt: (revision) => revision,
  claim: (done, ordinal) => done.add(ordinal),
  reproject: ({ raw }, make) => make(raw),
  level: (catchUp) => catchUp(),
  mayAdopt: (inputs) => inputs.every((input) => input !== undefined),
  carryOver
}
