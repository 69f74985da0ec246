// A base holds a committed version of a collection without its segments: the state lines of that
// version, which arrivals are live, their changed labels, and the packs that hold all of them. It is
// found by its name, so it needs no manifest. With the log above it and the batches that came later,
// it makes the collection again. It also says which operations the log had, because slots that two
// bases stand for are deleted.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import { collectionSpecSchema } from '@likeness/shared/contract/collection'
import { toStored } from '@likeness/shared/contract/stored-names'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { type FileRef, fileRefSchema } from '../state/file-ref.ts'
import { readPart } from '../state/read-state.ts'
import { stateRefSchema } from '../state/state-lines.ts'
import { reprojectionSchema, snapshotRecordSchema } from '../version/manifest.ts'
import { baseRefSchema, type BaseRef } from '../state/history.ts'
import { linesPartSchema } from './carried-lines.ts'
import { operationsPartSchema } from './operation-index.ts'
import { packPicturesSchema } from './picture-names.ts'

const count = z.number().int().min(0)

/** The arrivals from `first` to `last` that were live, or in a snapshot, when it was written. */
export const packRefSchema = z.strictObject({
  first: count,
  last: count,
  arrivals: count,
  rows: count,
  /** When its newest arrivals were packed. 0: a program that kept all raw vectors wrote it. */
  atMs: z.number().default(0),
  items: fileRefSchema,
  /** null: no arrival has raw vectors, or they are past their retention. */
  raw: fileRefSchema.nullable(),
  directory: fileRefSchema,
  /** null: no arrival has one in the collection. Absent: the first programs with packs did not say. */
  pictures: packPicturesSchema.nullable().optional()
})
export type PackRef = z.infer<typeof packRefSchema>

const viewSchema = z.strictObject({
  /** A set of arrivals. */
  live: fileRefSchema,
  /** Labels and metadata that differ from what arrived. */
  labels: fileRefSchema.nullable()
})
/** What a version consists of: arrivals, with their labels. */
export type View = z.infer<typeof viewSchema>

const heldLogSchema = z.strictObject({
  /** Oldest first. */
  operations: z.array(operationsPartSchema),
  /** Of small ingestions that were open, in the order of revisions. */
  lines: z.array(linesPartSchema)
})

/** What a base has of the log. */
export type HeldLog = z.infer<typeof heldLogSchema>

const baseSchema = z.strictObject({
  format: z.literal(1),
  seq: count,
  epoch: count,
  commitId: z.string(),
  createdAtMs: z.number(),
  appliedSlot: count,
  lastArrival: count,
  restored: count,
  spec: collectionSpecSchema,
  counts: z.strictObject({ items: count, rows: count }),
  state: stateRefSchema,
  /** By revision. */
  snapshots: z.record(
    z.string(),
    z.strictObject({ name: z.string(), record: snapshotRecordSchema, view: viewSchema })
  ),
  reprojection: reprojectionSchema.nullable(),
  view: viewSchema,
  /** In the order of their arrivals. */
  packs: z.array(packRefSchema),
  /** The packs are read again in turn, newest first, down to this arrival so far. */
  checkedFrom: count.default(0),
  /** null: written by a program that deleted nothing of the log. */
  log: heldLogSchema.nullable().default(null),
  /** Names of pictures that no version needs since this base or an earlier one, until they are deleted. */
  deadPictures: z.array(fileRefSchema).default([]),
  previous: baseRefSchema.nullable()
})
export type Base = z.infer<typeof baseSchema>

export const encodeBase = (base: Base): Uint8Array =>
  encodeObject({ ...base, spec: toStored(base.spec) })

/** Throws data_corrupt, or object_not_found when it is missing. */
export async function readBase(
  store: ObjectStore,
  ref: Pick<BaseRef, 'key' | 'sha256'>
): Promise<Base> {
  return parseBase(ref.key, await readPart(store, ref))
}

/** Throws data_corrupt. */
export const parseBase = (key: string, body: Uint8Array): Base =>
  decodeObject(baseSchema, key, body)

/** Reads a base by its name. Throws data_corrupt, or object_not_found when it is missing. */
export async function decodeBase(
  store: ObjectStore,
  key: string
): Promise<{ base: Base; ref: BaseRef }> {
  const stored = await store.get(key)
  if (stored === undefined) throw appError('object_not_found', `${key} is missing`)
  const { body } = stored
  const base = parseBase(key, body)
  const file = { key, sizeBytes: body.byteLength, sha256: sha256Hex(body) }
  return { base, ref: refOf(file, base) }
}

export const refOf = (
  file: FileRef,
  { seq, appliedSlot, lastArrival, createdAtMs, log, packs }: Base
): BaseRef => ({
  ...file,
  seq,
  appliedSlot,
  lastArrival,
  createdAtMs,
  holdsLog: log !== null,
  oldestRawMs: oldestRawMs(packs)
})

/** When the first pack with raw vectors was written; null: there is none. */
function oldestRawMs(packs: readonly PackRef[]): number | null {
  const times = packs.flatMap(({ raw, atMs }) => (raw === null ? [] : [atMs]))
  return times.length === 0 ? null : Math.min(...times)
}

/** Its own view, and those of its snapshots. */
export const viewsOf = ({ view, snapshots }: Pick<Base, 'view' | 'snapshots'>): View[] => [
  view,
  ...Object.values(snapshots).map((snapshot) => snapshot.view)
]

const viewFiles = ({ live, labels }: View): FileRef[] => (labels === null ? [live] : [live, labels])

export const packFiles = ({ items, raw, directory }: PackRef): FileRef[] =>
  raw === null ? [items, directory] : [items, raw, directory]

/** Names of pictures. Without them a base is as whole: the items say the same, and pictures stay. */
export const pictureFiles = ({ packs, deadPictures }: Base): FileRef[] => [
  ...packs.flatMap(({ pictures }) => pictures ?? []),
  ...deadPictures
]

/** Every file that a base names, but for the base before it and the manifests of snapshots. */
export const baseFiles = (base: Base): FileRef[] => [...neededFiles(base), ...pictureFiles(base)]

/** The files without which a base is of no use. */
export const neededFiles = (base: Base): FileRef[] => [
  ...base.state.base,
  ...base.state.deltas,
  ...viewsOf(base).flatMap(viewFiles),
  ...(base.log?.operations ?? []).map(({ file }) => file),
  ...(base.log?.lines ?? []).map(({ file }) => file),
  ...base.packs.flatMap(packFiles)
]
