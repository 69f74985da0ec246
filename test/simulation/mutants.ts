// The protocol with one rule broken in each: the simulation must find every one of them.
import { encodeCurrent, readCurrent } from '@likeness/engine/version/current'
import { encodeManifest } from '@likeness/engine/version/manifest'
import type { OrdinalRanges } from '@likeness/engine/version/ordinal-ranges'
import { type Protocol, realProtocol } from '@likeness/engine/writer/protocol'
import { slotOf } from '@likeness/shared/contract/operation'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { retryStore } from '@likeness/store/retry-store'

/** A new owner only looks, and CURRENT is written over whatever is there. */
const noFence: Protocol = {
  ...realProtocol,
  becomeWriter: ({ store, clock, currentKey }) =>
    retryStore(clock, () => readCurrent(store, currentKey)),
  async commit(
    { store, clock, currentKey, newId },
    versionedCurrent,
    { manifest, manifestKey },
    announce
  ) {
    const body = encodeManifest(manifest)
    await retryStore(clock, () => store.put(manifestKey, body))
    const { seq, commitId } = manifest
    const current = {
      ...versionedCurrent.current,
      seq,
      commitId,
      manifest: manifestKey,
      sha256: sha256Hex(body),
      writeId: newId()
    }
    const { etag } = await retryStore(clock, () => store.put(currentKey, encodeCurrent(current)))
    announce()
    return { current, etag }
  },
  fenceCollection: async (_context, versionedCurrent) => versionedCurrent
}

/** CURRENT moves by compare-and-swap, but a new owner does not raise the epoch and a lost swap is tried again over whatever is there now. */
const blindRetry: Protocol = {
  ...realProtocol,
  becomeWriter: noFence.becomeWriter,
  async commit(context, versionedCurrent, version, announce) {
    for (let from = versionedCurrent; ; ) {
      try {
        return await realProtocol.commit(context, from, version, announce)
      } catch {
        const found = await retryStore(context.clock, () =>
          readCurrent(context.store, context.currentKey)
        )
        if (found === undefined) throw new Error('gone')
        from = found
      }
    }
  }
}

/** Says that it is committed while it may still be refused. */
const acknowledgeBeforeSwap: Protocol = {
  ...realProtocol,
  async commit(context, versionedCurrent, version, announce) {
    announce()
    return await realProtocol.commit(context, versionedCurrent, version, () => undefined)
  }
}

/** Deletes files on the word of an owner that may have been replaced. */
const unfencedCollection: Protocol = {
  ...realProtocol,
  fenceCollection: async (_context, versionedCurrent) => versionedCurrent
}

/** Whatever comes last to the writer wins. */
const noRevisions: Protocol = { ...realProtocol, supersedes: () => true }

/** What a restore brings back has the revisions that it had. */
const restoreLowersRevisions: Protocol = { ...realProtocol, restoredAt: () => 0 }

/** A restore goes back to the version that the snapshot was taken of. */
const restoreLowersSeq: Protocol = {
  ...realProtocol,
  async commit(context, versionedCurrent, version, announce) {
    const { manifest } = version
    const restored = manifest.segments.find(
      (segment) =>
        segment.restored !== undefined && slotOf(segment.restored) === manifest.appliedSlot
    )
    const snapshot = restored && Object.values(manifest.snapshots)[0]
    return await realProtocol.commit(
      context,
      versionedCurrent,
      snapshot === undefined
        ? version
        : { ...version, manifest: { ...manifest, seq: snapshot.seq } },
      announce
    )
  }
}

/** A batch has its effect once, whatever is in it. */
function batchNames(): Protocol {
  const seen = new Set<string>()
  return {
    ...realProtocol,
    claim(done: OrdinalRanges, ordinal: number, batchKey: string) {
      done.add(ordinal)
      const name = `${batchKey} ${ordinal}`
      if (seen.has(name)) return false
      seen.add(name)
      return true
    }
  }
}

/** What was deleted while a merge was built is back when it is adopted. */
const noRowMap: Protocol = { ...realProtocol, carryOver: () => undefined }

/** A merge takes the place of whatever is left of its inputs. */
const adoptAlways: Protocol = { ...realProtocol, mayAdopt: () => true }

/** Garbage is everything that no version names, what is still to be applied too. */
const collectBatches: Protocol = {
  ...realProtocol,
  async fenceCollection(context, versionedCurrent) {
    const { store, clock, currentKey } = context
    const moved = await realProtocol.fenceCollection(context, versionedCurrent)
    await retryStore(clock, async () => {
      const batches: string[] = []
      for await (const { key } of store.list(currentKey.replace(/CURRENT$/, 'batch/')))
        batches.push(key)
      await store.delete(batches)
    })
    return moved
  }
}

/** Vectors are taken for what the collection compares, whatever profile made them. */
const vectorsAsTheyAre: Protocol = { ...realProtocol, reproject: async ({ vectors }) => vectors }

/** A new embedding takes the place of the former one when it is made of what there was when it was begun. */
const reindexBehind: Protocol = { ...realProtocol, catchUp: async () => undefined }

/** By name; each call makes one for one simulation. */
export const mutants: Record<string, () => Protocol> = {
  'no fence': () => noFence,
  'no fence, swap tried again blindly': () => blindRetry,
  'acknowledge before the swap': () => acknowledgeBeforeSwap,
  'unfenced collection': () => unfencedCollection,
  'no revisions': () => noRevisions,
  'batch names instead of ordinals': batchNames,
  'merge without row map': () => noRowMap,
  'merge adopted though an input is gone': () => adoptAlways,
  'collection of unapplied batches': () => collectBatches,
  'a restore that lowers revisions': () => restoreLowersRevisions,
  'a restore that lowers seq': () => restoreLowersSeq,
  'vectors of several embeddings': () => vectorsAsTheyAre,
  'a new embedding that is behind': () => reindexBehind
}
