// Places of all objects in the object store. Only this file knows the names.
import { sha256Hex } from '@likeness/shared/data/sha256'

/** Prefixes that belong to the engine. Imports never read there, and users never write there. */
export const enginePrefixes = ['catalog/', 'c/', 'jobs/', 'idem/', 'probe/', 'profiles/'] as const

export function isEngineKey(key: string): boolean {
  return enginePrefixes.some((prefix) => key.startsWith(prefix) || `${key}/` === prefix)
}

const pad = (n: number, width: number): string => String(n).padStart(width, '0')

/** Held all names until 0.4. Now the mark that each name has an object of its own. */
export const catalogKey = 'catalog/CURRENT'
export const catalogNamesPrefix = 'catalog/n/'
export const catalogNameKey = (name: string): string => `${catalogNamesPrefix}${name}`
export const catalogRecordsPrefix = 'catalog/d/'
/**
 * Record of a collection id that is being made or dropped: a key for each, because who has made it
 * deletes the one while another process may write the other.
 */
export const catalogRecordKey = (collectionId: string, state: 'making' | 'dropping'): string =>
  `${catalogRecordsPrefix}${collectionId}-${state}`
export const jobsPrefix = 'jobs/'
export const profilesPrefix = 'profiles/'

/** Keys of a learned profile. The description is written last. */
export const profileKeys = (name: string, version: string) => ({
  description: `${profilesPrefix}${name}/${version}.json`,
  projection: `${profilesPrefix}${name}/${version}.f32`
})

/** Says which collection an ingestion belongs to. Written before the job is acknowledged. */
export const jobKey = (ingestion: string): string => `jobs/${ingestion}`
/**
 * Prefix of the records, by the week in which they are made. Records of old weeks are deleted; new
 * records go only to the current week.
 */
export const idempotencyPrefix = 'idem/'
export const idempotencyWeekMs = 7 * 86_400_000
/** Greater than the key of every record of an earlier week, and of no other. */
export const idempotencyWeekStart = (week: number): string => `${idempotencyPrefix}${pad(week, 6)}/`
const idempotencyName = (scope: string, key: string): string => sha256Hex(`${scope}\n${key}`)
/**
 * Key of the record of an Idempotency-Key, in one of 256 folders of its week. `scope` keeps routes
 * and collections apart.
 */
export function idempotencyKey(week: number, scope: string, key: string): string {
  const name = idempotencyName(scope, key)
  return `${idempotencyWeekStart(week)}${name.slice(0, 2)}/${name.slice(2)}`
}
/** Key of such a record of a program before 0.4. */
export const formerIdempotencyKey = (week: number, scope: string, key: string): string =>
  `${idempotencyWeekStart(week)}${idempotencyName(scope, key)}`

/** Pictures of one ingestion beside each other. More are in folders of as many. */
const imagesOfUpload = 1024
/** Folder of what was made in 33 s, by the time of a ULID. */
const folderOf = (ulid: string): string => `${ulid.slice(0, 7)}/`

/** Keys of one collection id. */
export function collectionKeys(collectionId: string) {
  const root = `c/${collectionId}/`
  return {
    root,
    current: `${root}CURRENT`,
    manifestPrefix: `${root}man/`,
    manifest: (seq: number, epoch: number, commitId: string) =>
      `${root}man/${pad(seq, 12)}-${pad(epoch, 8)}-${commitId}.json`,
    logPrefix: `${root}log/`,
    /** Slots are dense from 1: a slot exists only when all below it exist. */
    logSlot: (slot: number) => `${root}log/${pad(slot, 14)}`,
    /**
     * Part of an ingestion's item list. A part holds `partSize` lines and is named after its first
     * ordinal.
     */
    itemListPart: (ingestion: string, firstOrdinal: number) =>
      `${root}ing/${ingestion}/${pad(firstOrdinal, 10)}.ndjson`,
    ingestionsPrefix: `${root}ing/`,
    itemListPrefix: (ingestion: string) => `${root}ing/${ingestion}/`,
    batchesPrefix: `${root}batch/`,
    batchPrefix: (ingestion: string) => `${root}batch/${ingestion}/`,
    batch: (ingestion: string, firstOrdinal: number, attempt: string) =>
      `${root}batch/${ingestion}/${pad(firstOrdinal, 10)}-${attempt}`,
    sharedBatchesPrefix: `${root}arr/`,
    /** Batch of many small ingestions, in a folder for each 33 s. `id`: a ULID. */
    sharedBatch: (id: string) => `${root}arr/${folderOf(id)}${id}`,
    segmentPrefix: `${root}seg/`,
    segmentFile: (segment: string, file: 'index' | 'meta' | 'payload' | 'columns' | 'vectors') =>
      `${root}seg/${segment}.${file}`,
    deletionPrefix: `${root}del/`,
    deletion: (segment: string, commitId: string) => `${root}del/${segment}.${commitId}`,
    /**
     * Payload updates of a segment: changed labels and metadata, which replace the values in the
     * payload.
     */
    overlay: (segment: string, commitId: string) => `${root}del/${segment}.${commitId}.relabels`,
    /** Small immutable side files of a commit, such as tombstones and trained quantizers. */
    sidePrefix: `${root}side/`,
    stateDelta: (commitId: string) => `${root}side/${commitId}.delta`,
    stateBase: (commitId: string, part: number) => `${root}side/${commitId}.${part}.state`,
    jobPage: (commitId: string, page: number) => `${root}side/${commitId}.${page}.jobs`,
    /** Arrivals of a version, and what their labels and metadata have become. */
    liveArrivals: (foldId: string, view: string) => `${root}side/${foldId}.${view}.arrivals`,
    changedLabels: (foldId: string, view: string) => `${root}side/${foldId}.${view}.labels`,
    /** What a fold keeps of the log: its operations, and lines of small ingestions that are open. */
    operations: (foldId: string) => `${root}side/${foldId}.operations`,
    carriedLines: (foldId: string, part: number) => `${root}side/${foldId}.${part}.lines`,
    packPrefix: `${root}pack/`,
    pack: (foldId: string, number: number, part: 'items' | 'raw' | 'directory' | 'pictures') =>
      `${root}pack/${foldId}.${number}.${part}`,
    /** Pictures that no version needs from this fold on. */
    deadPictures: (foldId: string, part: number) => `${root}side/${foldId}.${part}.dead`,
    basePrefix: `${root}base/`,
    /** Names are in the order of the versions that they hold. */
    base: (appliedSlot: number, epoch: number, foldId: string) =>
      `${root}base/${pad(appliedSlot, 14)}-${pad(epoch, 8)}.${foldId}`,
    calibration: (id: string) => `${root}side/${id}.calibration`,
    quantizer: (commitId: string) => `${root}side/${commitId}.quantizer`,
    jobPrefix: `${root}job/`,
    /** Records of the ingestions that a commit has ended, written after it. */
    endedJobs: (seq: number, commitId: string) => `${root}job/${pad(seq, 12)}-${commitId}.ended`,
    /** Result of a finished ingestion. Only where nothing is folded: then it says what was accepted. */
    jobResult: (ingestion: string) => `${root}job/${ingestion}/result.json`,
    /** Failed items of one commit, with ordinals from `first` to `last`. Named by the job. */
    failures: (ingestion: string, commitId: string, { first, last }: OrdinalRange) =>
      `${root}job/${ingestion}/${commitId}.${first}-${last}.failed.ndjson`,
    /** Original of an item, in a folder for each 33 s. `n` is unique within the ingestion. */
    image: (ingestion: string, n: number) =>
      n < imagesOfUpload
        ? `${root}img/${folderOf(ingestion)}${ingestion}-${n}`
        : `${root}img/${folderOf(ingestion)}${ingestion}+${Math.floor(n / imagesOfUpload)}/${n}`,
    imagePrefix: `${root}img/`,
    /** Prefixes of the pictures of one ingestion. Programs before 0.4 had no folders. */
    imagePrefixes: (ingestion: string) => [
      `${root}img/${folderOf(ingestion)}${ingestion}`,
      `${root}img/${ingestion}-`
    ]
  }
}
export type CollectionKeys = ReturnType<typeof collectionKeys>

/** Both are in the range. */
export interface OrdinalRange {
  first: number
  last: number
}

/** Returns the ordinals that a failures object may hold: all of them, where its name does not say. */
export function failedOrdinals(key: string): OrdinalRange {
  const match = /\.(\d+)-(\d+)\.failed\.ndjson$/.exec(key)
  return match === null
    ? { first: 0, last: Infinity }
    : { first: Number(match[1]), last: Number(match[2]) }
}

/** Returns the parts of a manifest's name, or undefined for any other key. */
export function parseManifestKey(
  key: string
): { seq: number; epoch: number; commitId: string } | undefined {
  const match = /\/man\/(\d{12,})-(\d{8,})-([^/]+)\.json$/.exec(key)
  return match === null
    ? undefined
    : { seq: Number(match[1]), epoch: Number(match[2]), commitId: match[3]! }
}

/** Returns the version whose ended ingestions an object has, or undefined for any other key. */
export function seqOfEndedJobs(key: string): number | undefined {
  const match = /\/job\/(\d{12,})-[^/]+\.ended$/.exec(key)
  return match === null ? undefined : Number(match[1])
}

/** Returns the parts of a batch key, or undefined for any other key. */
export function parseBatchKey(
  key: string
): { collectionId: string; ingestion: string; firstOrdinal: number } | undefined {
  const match = /^c\/([0-9A-Z]{26})\/batch\/([0-9A-Z]{26})\/(\d{10})-[0-9A-Z]{26}$/.exec(key)
  if (match === null) return undefined
  return { collectionId: match[1]!, ingestion: match[2]!, firstOrdinal: Number(match[3]) }
}

const sharedBatchPattern = /^c\/[0-9A-Z]{26}\/arr\/([0-9A-Z]{7})\/\1[0-9A-Z]{19}$/
export const isSharedBatchKey = (key: string): boolean => sharedBatchPattern.test(key)

/**
 * Returns the id of the ingestion that has stored a picture, from the part of its key after the
 * prefix of pictures. Those of programs before 0.4 are in no folder.
 */
export function ingestionOfImage(name: string): string | undefined {
  const id = /^(?:([0-9A-Z]{7})\/)?([0-9A-Z]{26})[-+]/.exec(name)
  return id === null || id[2]!.startsWith(id[1] ?? '') ? id?.[2] : undefined
}

/**
 * Returns a text by which pictures are in the order of ingestion and number, from the part of a key
 * after the prefix of pictures; undefined for any other key.
 */
export function orderOfImage(name: string): string | undefined {
  const ingestion = ingestionOfImage(name)
  const n = /(?:-|\+\d+\/)(\d+)$/.exec(name)?.[1]
  return ingestion === undefined || n === undefined
    ? undefined
    : `${ingestion}${pad(Number(n), 10)}`
}
