// Manifest: a whole committed version of a collection. Holds its content, the applied part of the
// log, and the files.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import {
  type CollectionSpec,
  collectionSpecSchema,
  embeddingSchema,
  storageSchema
} from '@likeness/shared/contract/collection'
import { toStored } from '@likeness/shared/contract/stored-names'
import { calibrationRefSchema } from '../state/calibration-ref.ts'
import { historySchema, newHistory } from '../state/history.ts'
import { formerIngestionFields, revisionKey } from '../state/job-record.ts'
import { noState, stateRefSchema } from '../state/state-lines.ts'
import { type FileRef, fileRefSchema } from '../state/file-ref.ts'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'

export type { FileRef } from '../state/file-ref.ts'

/** `inverted`: lists of sparse rows. */
export const indexKinds = ['flat', 'hnsw', 'ivf', 'inverted'] as const
export type IndexKind = (typeof indexKinds)[number]

/** `recall` was reached with `budget` when the index was built. */
export const tunedEffortSchema = z.strictObject({ budget: z.number(), recall: z.number() })
export type TunedEffort = z.infer<typeof tunedEffortSchema>

export const manifestSegmentSchema = z.strictObject({
  id: z.string(),
  index: z.enum(indexKinds),
  storage: z.union([storageSchema, z.literal('bits')]).default('f32'),
  /** Quantizer of the index when it was built. The index file has its own copy. */
  quantizer: z.strictObject({ key: z.string(), nlist: z.number().int() }).optional(),
  /** Effort for the target recall that the collection had then. */
  tuned: tunedEffortSchema.optional(),
  items: z.number().int(),
  rows: z.number().int(),
  /**
   * `columns` is absent for a small segment, or one that was written before columns existed.
   * `vectors`: full rows, where the index keeps less.
   */
  files: z.strictObject({
    index: fileRefSchema,
    meta: fileRefSchema,
    payload: fileRefSchema,
    columns: fileRefSchema.optional(),
    vectors: fileRefSchema.optional()
  }),
  /** null: there are no deletions. */
  deletions: fileRefSchema.extend({ count: z.number().int() }).nullable(),
  /** File of payload updates, which replace values of the payload. */
  overlay: fileRefSchema.optional(),
  /**
   * Revision of the restore that brought the segment back. Its items have at least this revision.
   */
  restored: z.number().int().optional()
})
export type ManifestSegment = z.infer<typeof manifestSegmentSchema>

/** A version that is kept by name. */
export const snapshotRecordSchema = z.strictObject({
  /**
   * Revision of the operation that took the snapshot. Another snapshot of the same name has another
   * revision.
   */
  revision: z.number().int(),
  createdAtMs: z.number(),
  seq: z.number().int(),
  manifest: z.string(),
  sha256: z.string(),
  items: z.number().int(),
  rows: z.number().int()
})
export type SnapshotRecord = z.infer<typeof snapshotRecordSchema>

/** Result of an operation that gets more than a commit. */
export const outcomeSchema = z.strictObject({
  revision: z.number().int(),
  /** Commit that holds the operation. */
  seq: z.number().int().optional(),
  /** Time of that commit. */
  atMs: z.number().optional(),
  /** Reason why the operation had no effect. */
  error: z
    .enum([
      'snapshot_exists',
      'snapshot_not_found',
      'data_corrupt',
      'raw_vectors_missing',
      'profile_replaced',
      'too_large',
      'invalid_request',
      'job_ended'
    ])
    .optional(),
  /** Number of deleted or restored items. */
  items: z.number().int().optional(),
  /** Older ingestions were open then: of a delete, items may be missing that it will delete. */
  awaits: z.literal(true).optional()
})
export type StoredResult = z.infer<typeof outcomeSchema>

/**
 * The last requested change of the embedding: running, done, or with the reason why it was not
 * done.
 */
export const reprojectionSchema = z.strictObject({
  /** Revision of the `reproject` operation. */
  revision: z.number().int(),
  embedding: embeddingSchema,
  state: z.enum(['running', 'applied', 'raw_vectors_missing', 'data_corrupt'])
})
export type Reprojection = z.infer<typeof reprojectionSchema>

const versionFields = {
  seq: z.number().int(),
  epoch: z.number().int(),
  commitId: z.string(),
  parent: z.string().nullable(),
  createdAtMs: z.number(),
  spec: collectionSpecSchema,
  /**
   * Every log slot up to this one is applied. The ingestions among them are at least registered.
   */
  appliedSlot: z.number().int(),
  segments: z.array(manifestSegmentSchema),
  snapshots: z.record(z.string(), snapshotRecordSchema).default({}),
  /** The last operation results. */
  outcomes: z.array(outcomeSchema).default([]),
  /**
   * Revision of the operation that requested the rebuild or the compaction that is not done; null:
   * there is none. The oldest rebuild comes first; the log has the kind of the operation.
   */
  compaction: z.number().int().nullable().default(null),
  reprojection: reprojectionSchema.nullable().default(null),
  /**
   * Quantizer of new sealed segments. `trainedOn`: live rows of the collection when it was trained.
   */
  quantizer: fileRefSchema
    .extend({ nlist: z.number().int(), trainedOn: z.number().int() })
    .nullable(),
  counts: z.strictObject({ items: z.number().int(), rows: z.number().int() })
}

const writtenSchema = z.strictObject({
  format: z.literal(2),
  ...versionFields,
  state: stateRefSchema,
  /** null: a program before 0.4 has taken items in, without numbers. */
  history: historySchema.nullable(),
  /** Absent: none was learned for this embedding. */
  calibration: calibrationRefSchema.optional(),
  /**
   * Ingestions with work left, their items, bytes of their lines in the log, and the revision of the
   * oldest one.
   */
  open: z.strictObject({
    jobs: z.number().int(),
    items: z.number().int(),
    bytes: z.number().int().optional(),
    oldest: z.number().int().nullable()
  })
})

/** Files of programs before 0.4, each written whole. */
export interface FormerFiles {
  tombstones: FileRef | null
  relabels: FileRef | null
  sweeps: FileRef | null
}
export interface Manifest extends z.infer<typeof writtenSchema> {
  /** The manifest is one of a program before 0.4. A version of this program has none. */
  former?: FormerFiles
}

const formerSchema = z
  .strictObject({
    format: z.literal(1),
    ...versionFields,
    ingestions: z.record(z.string(), z.strictObject(formerIngestionFields)),
    tombstones: fileRefSchema.nullable(),
    relabels: fileRefSchema.nullable().default(null),
    sweeps: fileRefSchema.nullable().default(null)
  })
  .transform(({ ingestions, tombstones, relabels, sweeps, ...version }): Manifest => {
    const records = Object.entries(ingestions).map(([ingestion, record]) => ({
      ingestion,
      ...record
    }))
    const open = records.filter(({ completedSeq }) => completedSeq === null)
    const left = open.map(
      ({ total, indexed, superseded, failed }) => total - indexed - superseded - failed
    )
    return {
      ...version,
      format: 2,
      history: null,
      state: {
        ...noState,
        recent: records.map((value) => ({ kind: 'job', key: revisionKey(value.revision), value }))
      },
      open: {
        jobs: open.length,
        items: left.reduce((sum, items) => sum + items, 0),
        oldest: open.length === 0 ? null : Math.min(...open.map(({ revision }) => revision))
      },
      former: { tombstones, relabels, sweeps }
    }
  })

export const manifestSchema = z.discriminatedUnion('format', [writtenSchema, formerSchema])

/** Manifest of an empty collection. */
export function emptyManifest(spec: CollectionSpec, commitId: string): Manifest {
  return {
    format: 2,
    seq: 0,
    epoch: 0,
    commitId,
    parent: null,
    createdAtMs: spec.createdAtMs,
    spec,
    appliedSlot: 0,
    segments: [],
    state: noState,
    history: newHistory(),
    open: { jobs: 0, items: 0, oldest: null },
    snapshots: {},
    outcomes: [],
    compaction: null,
    reprojection: null,
    quantizer: null,
    counts: { items: 0, rows: 0 }
  }
}

export const encodeManifest = ({ former: _former, ...manifest }: Manifest): Uint8Array =>
  encodeObject({ ...manifest, spec: toStored(manifest.spec) })

/**
 * Returns undefined when the manifest is missing (collected: read CURRENT again). Throws
 * data_corrupt when the manifest is damaged, or not the one that CURRENT names.
 */
export async function readManifest(
  store: ObjectStore,
  key: string,
  sha256?: string
): Promise<Manifest | undefined> {
  const stored = await store.get(key)
  if (stored === undefined) return undefined
  if (sha256 !== undefined && sha256Hex(stored.body) !== sha256)
    throw appError('data_corrupt', `${key} does not match its checksum`)
  return decodeObject(manifestSchema, key, stored.body)
}

/** Throws object_not_found when the manifest is missing. */
export async function mustReadManifest(
  store: ObjectStore,
  key: string,
  sha256: string
): Promise<Manifest> {
  const manifest = await readManifest(store, key, sha256)
  if (manifest === undefined)
    throw appError('object_not_found', `${key}, named by CURRENT or a snapshot, is missing`)
  return manifest
}

const present = (...files: (FileRef | null | undefined)[]): FileRef[] =>
  files.filter((file) => file !== null && file !== undefined)

export const segmentFiles = ({
  files: { index, meta, payload, columns, vectors }
}: ManifestSegment): FileRef[] => present(index, meta, payload, columns, vectors)

/** Returns the files that a search of this version may read. */
export const searchedRefs = ({ segments }: Pick<Manifest, 'segments'>): FileRef[] =>
  segments.flatMap((segment) => [
    ...segmentFiles(segment),
    ...present(segment.deletions, segment.overlay)
  ])

/**
 * Returns every collectable file that a reader of this manifest may open (failures stay with their
 * job).
 */
export function manifestRefs(manifest: Manifest): FileRef[] {
  const { state, former, quantizer, calibration } = manifest
  return [
    ...searchedRefs(manifest),
    ...state.base,
    ...state.deltas,
    ...present(former?.tombstones, former?.relabels, former?.sweeps, quantizer, calibration)
  ]
}

export const manifestFiles = (manifest: Manifest): string[] =>
  manifestRefs(manifest).map(({ key }) => key)
