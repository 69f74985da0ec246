// Mutants: the protocol with one broken rule in each. The simulation must find every mutant.
import {
  decodePage,
  encodeCurrent,
  encodeManifest,
  type OrdinalRanges,
  type Protocol,
  readCurrent,
  realProtocol
} from '@likeness/engine/testing/internals'
import { collectionKeys, seqOfEndedJobs } from '@likeness/shared/contract/keys'
import { slotOf } from '@likeness/shared/contract/operation'
import { isShared, peekBatchHeader } from '@likeness/shared/contract/vector-batch'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { retryStore } from '@likeness/store/retry-store'

/** A new writer only reads CURRENT, and each write overwrites CURRENT without a condition. */
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

/**
 * CURRENT changes by compare-and-swap, but a new writer does not raise the epoch. A lost swap is
 * tried again over the current value.
 */
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

/** The lease alone says who writes: a new owner does not raise the epoch. */
const leaseForEpoch: Protocol = { ...realProtocol, becomeWriter: noFence.becomeWriter }

/** Reports a commit that may still be refused. */
const acknowledgeBeforeSwap: Protocol = {
  ...realProtocol,
  async commit(context, versionedCurrent, version, announce) {
    announce()
    return await realProtocol.commit(context, versionedCurrent, version, () => undefined)
  }
}

/** Deletes files for a writer that may have been replaced. */
const unfencedCollection: Protocol = {
  ...realProtocol,
  fenceCollection: async (_context, versionedCurrent) => versionedCurrent
}

/** The last operation that reaches the writer wins. */
const noRevisions: Protocol = { ...realProtocol, supersedes: () => true }

/** A restore brings items back with their old revisions. */
const restoreLowersRevisions: Protocol = { ...realProtocol, restoredAt: () => 0 }

/** A restore sets the version number back to the version of the snapshot. */
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

/** A batch has its effect once, for any content. */
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

/** An item that was deleted during a merge exists again after the merge is adopted. */
const noRowMap: Protocol = { ...realProtocol, carryOver: () => undefined }

/** A merge replaces its inputs even when some of them are missing. */
const adoptAlways: Protocol = { ...realProtocol, mayAdopt: () => true }

/** Garbage is every file that no version names, including batches that are not applied yet. */
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

/**
 * A shared batch is garbage as soon as one of its ingestions has ended. The real rule keeps all of
 * them: log and batches make the collection again.
 */
const collectShared: Protocol = {
  ...realProtocol,
  async fenceCollection(context, versionedCurrent) {
    const { store, clock, currentKey } = context
    const moved = await realProtocol.fenceCollection(context, versionedCurrent)
    const keys = collectionKeys(currentKey.split('/')[1]!)
    await retryStore(clock, async () => {
      const ended = new Set<string>()
      for await (const { key } of store.list(keys.jobPrefix)) {
        const stored = seqOfEndedJobs(key) === undefined ? undefined : await store.get(key)
        if (stored === undefined) continue
        for (const { ingestion } of decodePage(key, stored.body)) ended.add(ingestion)
      }
      for await (const { key } of store.list(keys.sharedBatchesPrefix)) {
        const stored = await store.get(key)
        const header = stored && peekBatchHeader(stored.body)
        if (header === undefined || !isShared(header)) continue
        if (header.parts.some(({ ingestion }) => ended.has(ingestion))) await store.delete([key])
      }
    })
    return moved
  }
}

/** Of a shared batch what is known is taken, and the rest is never looked at again. */
const halfOfShared: Protocol = { ...realProtocol, mayTake: () => true }

/**
 * Vectors are used as vectors of the collection's embedding, for any profile that computed them.
 */
const vectorsAsTheyAre: Protocol = { ...realProtocol, reproject: async ({ vectors }) => vectors }

/** A new embedding replaces the former embedding without the changes from the computation time. */
const reindexBehind: Protocol = { ...realProtocol, catchUp: async () => undefined }

/** An operation is acknowledged when its slot is there, whatever was folded before. */
const acknowledgeOnCreate: Protocol = { ...realProtocol, isPartOfLog: () => true }

/** What is in no slot was never appended, though its slot may be folded. */
const forgetFolded: Protocol = { ...realProtocol, findFolded: async () => new Map() }

/** A missing slot is the end of the log. */
const endAtAnyGap: Protocol = { ...realProtocol, isEnd: () => true }

/** What the newest base stands for is deleted at once. */
const deleteWithNewest: Protocol = { ...realProtocol, floorAfter: ({ appliedSlot }) => appliedSlot }

/** Mutants by name. Each call creates one for one simulation. */
export const mutants: Record<string, () => Protocol> = {
  'no fence': () => noFence,
  'no fence, swap tried again blindly': () => blindRetry,
  'a hand-over without a new epoch': () => leaseForEpoch,
  'acknowledge before the swap': () => acknowledgeBeforeSwap,
  'unfenced collection': () => unfencedCollection,
  'no revisions': () => noRevisions,
  'batch names instead of ordinals': batchNames,
  'merge without row map': () => noRowMap,
  'merge adopted though an input is gone': () => adoptAlways,
  'collection of unapplied batches': () => collectBatches,
  'a shared batch that goes with one of its ingestions': () => collectShared,
  'half of a shared batch': () => halfOfShared,
  'a restore that lowers revisions': () => restoreLowersRevisions,
  'a restore that lowers seq': () => restoreLowersSeq,
  'vectors of several embeddings': () => vectorsAsTheyAre,
  'a new embedding that is behind': () => reindexBehind,
  'an acknowledgement on the create alone': () => acknowledgeOnCreate,
  'operations that are forgotten with their slot': () => forgetFolded,
  'a log that ends at any missing slot': () => endAtAnyGap,
  'one base alone for what is deleted': () => deleteWithNewest
}
