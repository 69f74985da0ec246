// Reads the version that CURRENT names through the faulty store, like a reader, and compares this
// version with the truth.
import {
  applyUpdate,
  decodePayload,
  type FileRef,
  fullVectors,
  hashOf,
  type IngestionRecord,
  itemHash,
  type Manifest,
  type ManifestSegment,
  openSegment,
  OrdinalRanges,
  readCurrent,
  readManifest,
  type SegmentFiles
} from '@likeness/engine/testing/internals'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'
import { contentOf, pagesIn, recordsIn } from './state-of.ts'
import { dim, failsIn, vectorsOf } from './ingestion-plan.ts'
import { checkEmbedding, expectedSettings } from './asked-for.ts'
import type { ExpectedItem } from './expected-items.ts'
import type { Truth } from './truth.ts'
import { Violation } from './violation.ts'

interface LiveRows {
  id: string
  label: string | null
  revision: number
  ordinal: number
  imageKey: string | null
  vectors: number[]
}

export interface ReadVersion {
  manifest: Manifest
  /** Jobs of the version by ingestion. */
  records: Map<string, IngestionRecord>
  /** Keys of the pages of ended jobs. */
  pages: string[]
  items: Map<string, LiveRows>
}

export interface VersionReader {
  store: ObjectStore
  files: SegmentFiles
  clock: Clock
  truth: Truth
  /** Called when a version was deleted during its read because CURRENT has moved. */
  onMissed: () => void
}

async function readSegment(files: SegmentFiles, ref: ManifestSegment): Promise<LiveRows[]> {
  const [{ meta, deleted, updates }, payload, vectors] = await Promise.all([
    openSegment(files, ref),
    files.get(ref.files.payload),
    fullVectors(files, ref, dim)
  ])
  const live: LiveRows[] = []
  for (let item = 0; item < meta.items; item++) {
    const [first, end] = [meta.firstRow[item]!, meta.firstRow[item + 1]!]
    const gone = Array.from({ length: end - first }, (_, i) => deleted.has(first + i))
    if (gone.every((row) => row)) continue
    const { id, label, imageKey } = applyUpdate(
      decodePayload(payload.subarray(meta.payloadOffset[item], meta.payloadOffset[item + 1])),
      updates.get(item)
    )
    if (gone.some((row) => row))
      throw new Violation('one-row-set', `${id}: some of its rows are deleted, others are not`)
    if (!itemHash(id).equals(hashOf(meta, item)))
      throw new Violation('whole-version', `${id} is stored under the hash of another item`)
    live.push({
      id,
      label,
      revision: meta.revision[item]!,
      ordinal: meta.ordinal[item]!,
      imageKey,
      vectors: [...vectors.subarray(first * dim, end * dim)]
    })
  }
  return live
}

export async function readWhole(
  { files }: Pick<VersionReader, 'files'>,
  manifest: Manifest
): Promise<ReadVersion> {
  const items = new Map<string, LiveRows>()
  for (const item of (
    await Promise.all(manifest.segments.map((ref) => readSegment(files, ref)))
  ).flat()) {
    if (items.has(item.id))
      throw new Violation('one-row-set', `${item.id} is live twice in version ${manifest.seq}`)
    items.set(item.id, item)
  }
  const bodies = new Map<string, Uint8Array>()
  const readAll = async (refs: readonly FileRef[]): Promise<void> => {
    for (const ref of refs) bodies.set(ref.key, await files.get(ref))
  }
  const body = ({ key }: FileRef): Uint8Array => bodies.get(key)!
  await readAll([...manifest.state.base, ...manifest.state.deltas])
  const content = contentOf(manifest, body)
  const pages = pagesIn(content)
  await readAll(pages)
  return {
    manifest,
    items,
    records: recordsIn(content, body),
    pages: pages.map(({ key }) => key)
  }
}

/** Returns undefined when the collection was dropped and deleted. */
export async function readVersion(reader: VersionReader): Promise<ReadVersion | undefined> {
  const { store, clock, truth } = reader
  const key = collectionKeys(truth.collectionId).current
  const current = () => retryStore(clock, () => readCurrent(store, key))
  for (let found = await current(); found !== undefined; ) {
    const { manifest: manifestKey, sha256, seq } = found.current
    let missing = manifestKey
    try {
      const manifest = await retryStore(clock, () => readManifest(store, manifestKey, sha256))
      if (manifest !== undefined) return await retryStore(clock, () => readWhole(reader, manifest))
    } catch (error) {
      if (isAppError(error, 'data_corrupt')) throw new Violation('whole-version', error.message)
      if (!isAppError(error, 'object_not_found')) throw error
      missing = error.message
    }
    const now = await current()
    if (now?.current.manifest === manifestKey && !truth.mayBeDropped)
      throw new Violation('whole-version', `version ${seq}: ${missing}`)
    reader.onMissed()
    found = now
  }
  return undefined
}

function checkRecords(truth: Truth, { manifest, records }: ReadVersion): void {
  const {
    appliedSlot,
    spec: {
      embedding: { version }
    }
  } = manifest
  const restored = truth.lastRestore(appliedSlot)?.revision ?? 0
  for (const [ingestion, record] of records) {
    const plan = truth.plans.get(ingestion)!
    const done = OrdinalRanges.parse(record.done)
    const failing = plan.items.filter(
      (_, ordinal) => failsIn(plan, ordinal, truth.versionOf(plan, version)) && done.has(ordinal)
    ).length
    const { indexed, superseded, failed } = record
    // Items of an ingestion that a restore ended were not processed any more. Given items that were
    // superseded before the embedding changed did not fail.
    const isEarlier = record.revision < restored || plan.given
    const failedAsPlanned = isEarlier ? failed <= failing : failed === failing
    if (indexed + superseded + failed !== done.count || !failedAsPlanned) {
      throw new Violation(
        'job-counts',
        `ingestion ${plan.number}: ${indexed} indexed, ${superseded} superseded, ${failed} failed (${failing} do), done ${record.done || 'none'}`
      )
    }
  }
}

function checkSettings(truth: Truth, { seq, appliedSlot, spec: { settings } }: Manifest): void {
  const { search_budget: budget = null, score_thres: threshold = null } = expectedSettings(
    truth,
    appliedSlot
  )
  const found = [settings.search_budget ?? null, settings.score_thres ?? null]
  if (found.join() !== [budget, threshold].join())
    throw new Violation(
      'effect',
      `version ${seq} has the settings ${found.join()}, the log up to slot ${appliedSlot} ${budget},${threshold}`
    )
}

export interface ReaderFloor {
  seq: number
  slot: number
  items: ReadonlyMap<string, number>
}

/** Promises that a reader may trust if it starts now. */
export const floorOf = (truth: Truth): ReaderFloor => ({
  ...truth.floor,
  items: new Map(truth.itemFloor)
})

/** Compares a version with the truth, and with the promises from the start of the read. */
export function checkVersion(truth: Truth, version: ReadVersion, floor: ReaderFloor): void {
  const { manifest, items, records } = version
  const { seq, appliedSlot, counts } = manifest
  if (seq < floor.seq || appliedSlot < floor.slot)
    throw new Violation(
      'reappearance',
      `version ${seq} (slot ${appliedSlot}) after version ${floor.seq} (slot ${floor.slot})`
    )
  for (const [id, { revision }] of items) {
    if (revision < (floor.items.get(id) ?? 0))
      throw new Violation(
        'reappearance',
        `${id} at revision ${revision} in version ${seq}, gone or replaced at ${floor.items.get(id)}`
      )
  }
  checkRecords(truth, version)
  checkSettings(truth, manifest)
  checkEmbedding(truth, manifest)
  const expected = truth.expectedItems(
    {
      appliedSlot,
      open: Object.fromEntries([...records].map(([ingestion, { done }]) => [ingestion, done]))
    },
    manifest.spec.embedding.version
  )
  for (const [id, item] of expected)
    checkItem(items.get(id), { id, seq, version: manifest.spec.embedding.version, ...item })
  for (const [id, { label }] of items)
    if (!expected.has(id))
      throw new Violation(
        'effect',
        `version ${seq} holds ${id} (${label}), which is deleted or was never added`
      )
  const rows = [...items.values()].reduce((sum, { vectors }) => sum + vectors.length / dim, 0)
  if (counts.items !== items.size || counts.rows !== rows)
    throw new Violation(
      'effect',
      `version ${seq} counts ${counts.items}/${counts.rows}, holds ${items.size}/${rows}`
    )
  truth.raiseFloor(seq, appliedSlot)
  for (const [id, { revision }] of items) truth.raiseItemFloor(id, revision)
}

function checkItem(
  found: LiveRows | undefined,
  {
    id,
    plan,
    ordinal,
    revision,
    label,
    seq,
    version
  }: ExpectedItem & { id: string; seq: number; version: string }
): void {
  const as = `${id} must be ${label} at revision ${revision} in version ${seq}`
  if (found === undefined) throw new Violation('effect', `${as}, and is missing`)
  if (found.label !== label || found.revision !== revision || found.ordinal !== ordinal)
    throw new Violation('effect', `${as}, and is ${found.label} at ${found.revision}`)
  if (found.vectors.join() !== vectorsOf(plan, ordinal, version).join())
    throw new Violation('effect', `${as}, and has the vectors ${found.vectors.join()}`)
}
