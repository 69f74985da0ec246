// Every bound on the cost of one request, in one place. docs/limits.md is written from this table.
// Beyond a bound the answer names the bound, its value and the size that was asked for.
import { type AppError, appError } from '../errors.ts'
import { inArea, type Limit, limitTable } from './limit-table.ts'

export type { Limit } from './limit-table.ts'

const bodies = inArea('Bodies')
const ofLists = inArea('Lists')
const items = inArea('Items')
const filters = inArea('Filters')
const searches = inArea('Searches')
const inCollection = inArea('In one collection')
const inApi = inArea('At once, in one api process')
const ofPictures = inArea('Pictures')
const ofSmallUploads = inArea('Small uploads')
const ofProcesses = inArea('In each process')
const inEmbedWorker = inArea('At once, in one embed-worker')

/** A record of 250 bytes of each is part of every version. */
export const maxOpenJobs = inCollection(200_000, 'maxOpenJobs', 'jobs', [
  'uploads and imports that are accepted and not yet embedded',
  'backlog_full'
])
/** Their lists are in the log, and in the queue when their turn comes. */
export const maxOpenLineBytes = inCollection(64 * 1024 * 1024, 'maxOpenLineBytes', 'bytes', [
  'lists of small uploads and imports that are accepted and not yet embedded',
  'backlog_full'
])
export const maxCollectionsOfJobs = ofLists(200, 'maxCollectionsOfJobs', 'collections', [
  'collections whose jobs are listed together; beyond, the list is of one collection',
  'invalid_request'
])

export const maxJsonBytes = bodies(2 * 1024 * 1024, 'maxJsonBytes', 'bytes', [
  'a JSON body',
  'too_large'
])

export const maxUploadFiles = bodies(1_000, 'maxUploadFiles', 'files', [
  'pictures of one upload',
  'too_large'
])
export const maxVectorLines = bodies(10_000, 'maxVectorLines', 'lines', [
  'items of one body of vectors',
  'too_large'
])
/** Every message of a body has a description; its text is decoded before a column is looked at. */
export const maxArrowMetadataBytes = bodies(256 * 1024, 'maxArrowMetadataBytes', 'bytes', [
  'the description of one message of an Arrow body: schema, dictionary or record batch',
  'too_large'
])
export const maxArrowFields = bodies(512, 'maxArrowFields', 'fields', [
  'columns of an Arrow body, fields inside them and notes on them together',
  'too_large'
])
export const maxArrowDictionaries = bodies(64, 'maxArrowDictionaries', 'dictionaries', [
  'dictionaries of an Arrow body',
  'too_large'
])

export const maxListLineBytes = ofLists(16 * 1024, 'maxListLineBytes', 'bytes', [
  'a line of a list of pictures; a longer line fails alone',
  'invalid_list_line'
])
export const maxListFileBytes = ofLists(1024 ** 3, 'maxListFileBytes', 'bytes', [
  'an uploaded list of pictures',
  'too_large'
])
export const maxFolderDepth = ofLists(64, 'maxFolderDepth', 'levels', [
  'folders inside each other in the folder of an import',
  'invalid_request'
])
/** An item has at most 1000 rows. */
export const maxVectorLineBytes = ofLists(32 * 1024 * 1024, 'maxVectorLineBytes', 'bytes', [
  'a line of supplied vectors; a longer line fails alone',
  'invalid_request'
])
/** Base64 of float32 has no such bound, because it is read much faster. */
export const maxLineValues = ofLists(262_144, 'maxLineValues', 'values', [
  'numbers, as text, of a line of supplied vectors; a longer line fails alone',
  'invalid_request'
])
/** An item may have much metadata. */
export const maxIdMapLineBytes = ofLists(8 * 1024 * 1024, 'maxIdMapLineBytes', 'bytes', [
  'a line of the id map of an exported gallery',
  'invalid_request'
])
export const maxSample = ofLists(100_000, 'maxSample', 'items', [
  'the `sample` of the vectors of a collection',
  'invalid_request'
])
/** The table is read as a whole. */
export const maxLabelsFileBytes = ofLists(256 * 1024 * 1024, 'maxLabelsFileBytes', 'bytes', [
  'a `labels.csv`',
  'too_large'
])

export const maxMetadataKeys = items(256, 'maxMetadataKeys', 'keys', [
  'keys of the metadata of an item',
  'invalid_request'
])
export const maxMetadataBytes = items(64 * 1024, 'maxMetadataBytes', 'bytes', [
  'the metadata of an item, as JSON',
  'invalid_request'
])
export const maxMetadataKeyLength = items(128, 'maxMetadataKeyLength', 'characters', [
  'a metadata key',
  'invalid_request'
])
export const maxTextLength = items(4096, 'maxTextLength', 'characters', [
  'a text value of metadata or of a filter',
  'invalid_request'
])
export const maxIdLength = items(1024, 'maxIdLength', 'characters', [
  'an item id or a label',
  'invalid_request'
])
export const maxIdsPerOperation = items(10_000, 'maxIdsPerOperation', 'ids', [
  'ids of one delete or relabel',
  'invalid_request'
])
/** The effect of a relabel is written once per item, and all effects are in memory together. */
export const maxRelabelBytes = items(16 * 1024 * 1024, 'maxRelabelBytes', 'bytes', [
  'ids of a relabel x bytes of its label and metadata',
  'too_large'
])
/** A slot of the log holds one more operation than 1 MB, and S3 writes 5 MiB on a condition. */
export const maxOperationBytes = items(3 * 1024 * 1024, 'maxOperationBytes', 'bytes', [
  'a change (delete, relabel, settings) as JSON',
  'too_large'
])

export const maxFilterDepth = filters(16, 'maxFilterDepth', 'levels', [
  '`any` and `not` inside each other',
  'invalid_request'
])
export const maxFilterNodes = filters(512, 'maxFilterNodes', 'nodes', [
  'filters and conditions of a filter, inner ones included',
  'invalid_request'
])
export const maxFilterValues = filters(10_000, 'maxFilterValues', 'values', [
  'values of all `in` lists of a filter together',
  'invalid_request'
])

export const maxK = searches(10_000, 'maxK', 'hits', [
  '`k`, the hits of each object',
  'invalid_request'
])
export const maxVectors = searches(1_000, 'maxVectors', 'vectors', [
  'vectors of one search',
  'too_large'
])
export const mostParts = searches(8, 'mostParts', 'parts', [
  'the parts of an embedding, and the `weights` of a search or a collection',
  'invalid_request'
])
export const maxExamples = searches(32, 'maxExamples', 'examples', [
  'positive and negative examples of one search together',
  'invalid_request'
])
/** Holds for every source: vectors, a picture, and the rows of an item. */
export const maxHits = searches(100_000, 'maxHits', 'hits', [
  'vectors or rows of the query x `k`',
  'too_large'
])
export const maxHitBytes = searches(64 * 1024 * 1024, 'maxHitBytes', 'bytes', [
  'stored text (metadata, boxes) of all hits of one search',
  'too_large'
])

export const maxSearchesAtOnce = inApi(32, 'maxSearchesAtOnce', 'requests', [
  'searches and comparisons that run',
  'overloaded'
])
export const maxWritesAtOnce = inApi(64, 'maxWritesAtOnce', 'requests', [
  'uploads, imports and changes that run',
  'overloaded'
])
export const maxReadsAtOnce = inApi(64, 'maxReadsAtOnce', 'requests', [
  'pictures, thumbnails and lists of jobs that are read',
  'overloaded'
])
export const maxExportsAtOnce = inApi(16, 'maxExportsAtOnce', 'requests', [
  'exports of vectors that run',
  'overloaded'
])
export const maxHeldBytes = inApi(512 * 1024 * 1024, 'maxHeldBytes', 'bytes', [
  'pictures of searches and projections in memory, where there is more than one',
  'overloaded'
])
export const maxArrowBytes = inApi(256 * 1024 * 1024, 'maxArrowBytes', 'bytes', [
  'record batches of Arrow bodies in memory, where there is more than one body',
  'overloaded'
])
export const maxWaiting = inApi(1_000, 'maxWaiting', 'requests', [
  'requests of one of these kinds that wait for their turn',
  'overloaded'
])
export const maxWaitMs = inApi(10_000, 'maxWaitMs', 'milliseconds', [
  'the wait of a request for its turn',
  'overloaded'
])

export const maxObjects = ofPictures(1_000, 'maxObjects', 'boxes', [
  'subjects of a query picture (`max_objects`)',
  'invalid_request'
])
/** A picture of 8 sizes, and 100 subjects at 8 sizes each, stays below. */
export const maxQueryRuns = ofPictures(2_000, 'maxQueryRuns', 'runs', [
  'runs of the model for one query picture: subjects of a `second_pass` x sizes, enlarged parts, views',
  'invalid_request'
])
export const maxImageSide = ofPictures(1_000_000, 'maxImageSide', 'pixels', [
  'a side of a picture (all pixels together: MAX_IMAGE_PIXELS)',
  'image_too_many_pixels'
])
/** Encoders write about ten. The decoder walks over the whole picture for each. */
export const maxJpegScans = ofPictures(100, 'maxJpegScans', 'scans', [
  'a progressive JPEG',
  'image_unsupported'
])
/** A detector and its maps see nothing in less. */
export const leastBoxSide = ofPictures(3, 'leastBoxSide', 'pixels', [
  'the least width and height of a box that a request gives',
  'invalid_request'
])
export const maxOpenPictures = inEmbedWorker(64, 'maxOpenPictures', 'requests', [
  'pictures of users that are embedded or wait for it',
  'overloaded'
])
export const maxOpenPictureBytes = inEmbedWorker(
  256 * 1024 * 1024,
  'maxOpenPictureBytes',
  'bytes',
  ['their files together, where there is more than one', 'overloaded']
)
/** Pictures beyond wait before they are decoded. */
export const maxDecodedPictures = inEmbedWorker(
  2,
  'maxDecodedPictures',
  'x 3 bytes x MAX_IMAGE_PIXELS',
  [
    'decoded pictures of users in an inference process, and as much of gallery pictures; others wait',
    'overloaded'
  ]
)

// No request meets these bounds.
export const maxSmallItems = ofSmallUploads(32, 'maxSmallItems', 'items', [
  'an upload or import whose list is part of the log, and whose pictures do not wait behind an import'
])
export const maxSmallBytes = ofSmallUploads(64 * 1024, 'maxSmallBytes', 'bytes', [
  'its list, as JSON'
])
export const maxSharedItems = ofSmallUploads(256, 'maxSharedItems', 'items', [
  'a vector batch of many of them'
])
export const maxSharedBytes = ofSmallUploads(4 * 1024 * 1024, 'maxSharedBytes', 'bytes', [
  'the same batch, unless one item has more'
])
export const maxSharedWaitMs = ofSmallUploads(100, 'maxSharedWaitMs', 'milliseconds', [
  'the wait of an embedded picture for others of its batch'
])
export const maxQueuedLineBytes = ofSmallUploads(16 * 1024 * 1024, 'maxQueuedLineBytes', 'bytes', [
  'lists of one collection that are in Redis at a time'
])
export const maxWaitingLogBytes = ofProcesses(1024 * 1024, 'maxWaitingLogBytes', 'bytes', [
  'log lines that wait in the memory of a process; further lines are dropped and counted'
])
export const maxLogFileBytes = ofProcesses(16 * 1024 * 1024, 'maxLogFileBytes', 'bytes', [
  "a log file of this machine's stack; a full one is kept under another name"
])
export const maxLogFiles = ofProcesses(3, 'maxLogFiles', 'files', [
  "log files of one process of this machine's stack"
])
export const maxTroubles = ofProcesses(50, 'maxTroubles', 'troubles', [
  'troubles that a process keeps and tells'
])
export const maxTroubleTextLength = ofProcesses(500, 'maxTroubleTextLength', 'characters', [
  'the text of a trouble'
])
export const maxKnownWorkers = ofProcesses(1000, 'maxKnownWorkers', 'workers', [
  'workers that an api process remembers'
])
export const maxWaitingHints = ofProcesses(1000, 'maxWaitingHints', 'collections', [
  'collections for which a process keeps hints that Redis did not take; the oldest go'
])

/** All bounds, in the order of the docs. */
export const limits: readonly Limit[] = limitTable

/** The error beyond a bound. `asked`: the size that was asked for, in the unit of the bound. */
export function beyondLimit(name: string, asked: number, hint = ''): AppError {
  const { what, value, unit, code = 'too_large' } = limits.find((one) => one.name === name)!
  return appError(code, `${what}: at most ${value} ${unit}, not ${asked}${hint && `. ${hint}`}`, {
    detail: { limit: name, max: value, asked }
  })
}
