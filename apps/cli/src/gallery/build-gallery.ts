// Imports a gallery's list into the collection: once, however often it is started. An interrupted
// run continues.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { ApiClient } from '../api/api-client.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { type ListFingerprint, readDataList } from '../gallery-config/data-list.ts'
import type { GalleryConfig } from '../gallery-config/load-gallery-config.ts'
import type { Progress } from '../progress.ts'
import { UserError } from '../user-error.ts'
import {
  beginRecord,
  type BuildRecord,
  isSame,
  type Outcome,
  readRecord,
  writeRecord
} from './build-record.ts'
import { type Followed, JobFollower } from './follow-jobs.ts'
import { checkFits, createGallery, embeddingFor } from './gallery-collection.ts'
import {
  type LineFailure,
  type SubmitDeps,
  submitParts,
  type SubmittedPart
} from './submit-parts.ts'

export interface BuildOptions {
  api: ApiClient
  config: GalleryConfig
  operation: 'new' | 'append'
  /** Fingerprint of the current list. */
  list: ListFingerprint
  /** Deletes the present items of the collection first. */
  force: boolean
  progress: Progress
  say: (text: string) => void
  /** Default: the pictures of data_file. */
  source?: GallerySource
}
export interface GallerySource {
  /** Embedding of supplied vectors; absent: the embed-workers' embedding of pictures. */
  embedding?: EmbeddingSpec
  submit(deps: SubmitDeps, onDuplicate: () => void): AsyncIterable<SubmittedPart>
}
export interface BuildSummary extends Outcome {
  collection: string
  /** True when this list was built before and this run had no work. */
  wasDone: boolean
  failures: LineFailure[]
  jobs: string[]
  seconds: number
  /** Rate of newly embedded and searchable pictures, from the first request on. */
  imagesPerSecond: number
  /** Commit that holds the whole list; 0 when there was no work. */
  seq: number
}

/**
 * UserError for every problem that the user must solve. The call checks everything before it
 * creates or deletes.
 */
export async function buildGallery(options: BuildOptions): Promise<BuildSummary> {
  const { api, config, operation, list, force, say, source } = options
  const embedding = source?.embedding ?? (await embeddingFor(api, config))
  const there = await api.getCollection(config.collection)
  const last = await readRecord(config.indexDir)
  const isKnown =
    !force &&
    there !== undefined &&
    last !== undefined &&
    isSame(last, {
      operation,
      collection: there.name,
      collectionId: there.incarnation,
      fingerprint: list.sha256
    })
  if (there !== undefined && !force && (isKnown || !isEmpty(there)))
    checkFits(there, config, embedding)
  if (isKnown && last.outcome !== undefined) return builtBefore(config, last.outcome)
  if (isKnown) say('going on with the build that was interrupted')
  const live = isKnown ? there : await makeRoom(options, there)
  const record = await beginRecord(config.indexDir, {
    operation,
    collection: live.name,
    collectionId: live.incarnation,
    fingerprint: list.sha256
  })
  return await bringIn(options, record, isKnown)
}

const isEmpty = ({ items, open_jobs: openJobs }: CollectionAnswer): boolean =>
  items === 0 && openJobs === 0

/** Returns the collection to build into: the existing collection, or a new one. */
async function makeRoom(
  { api, config, operation, force, say, source }: BuildOptions,
  there: CollectionAnswer | undefined
): Promise<CollectionAnswer> {
  if (there === undefined) return createGallery(api, config, source?.embedding)
  if (!force && !isEmpty(there)) {
    if (operation === 'append') return there
    const content = there.items > 0 ? `holds ${there.items} items` : 'is being built'
    throw new UserError(
      `the collection ${there.name} (index_dir ${config.indexDir}) ${content}, not from this list as it is now: --force wipes it and builds anew, \`likeness append\` adds to it`
    )
  }
  if (!isEmpty(there)) say(`wiping the collection ${there.name} with ${there.items} items`)
  await api.dropCollection(there.name)
  return createGallery(api, config, source?.embedding)
}

const builtBefore = ({ collection }: GalleryConfig, outcome: Outcome): BuildSummary => ({
  ...outcome,
  collection,
  wasDone: true,
  failures: [],
  jobs: [],
  seconds: 0,
  imagesPerSecond: 0,
  seq: 0
})

const picturesOf = (config: GalleryConfig): GallerySource => ({
  submit: (deps, onDuplicate) => submitParts(deps, readDataList(config, { onDuplicate }))
})

async function bringIn(
  { api, config, list, progress, say, source = picturesOf(config) }: BuildOptions,
  record: BuildRecord,
  isContinued: boolean
): Promise<BuildSummary> {
  let duplicates = 0
  const onTrouble = (error: unknown): void =>
    say(`the API does not answer well, trying again: ${(error as Error).message}`)
  const startedMs = performance.now()
  let doneBefore = 0
  const onDone = (done: number, atFirstAsk: number): void => {
    doneBefore = isContinued ? atFirstAsk : 0
    progress.show(done, list.lines, doneBefore)
  }
  const follower = new JobFollower({
    api,
    onDone,
    onTrouble,
    onWaiting: (why) => say(`waiting: ${why}`)
  })
  const submitted = new AbortController()
  const submit = async (): Promise<void> => {
    const deps = {
      api,
      collection: config.collection,
      imageRoot: config.imageRoot,
      keyBase: `build-${record.nonce}`,
      onTrouble
    }
    for await (const part of source.submit(deps, () => (duplicates += 1))) follower.add(part)
    submitted.abort()
  }
  try {
    const [, followed] = await Promise.all([submit(), follower.run(submitted.signal)])
    return await finish({
      api,
      config,
      record,
      followed,
      duplicates,
      seconds: (performance.now() - startedMs) / 1000,
      doneBefore
    })
  } finally {
    follower.stop()
    progress.done()
  }
}

interface Finished {
  api: ApiClient
  config: GalleryConfig
  record: BuildRecord
  followed: Followed
  duplicates: number
  seconds: number
  doneBefore: number
}

async function finish({
  api,
  config,
  record,
  followed,
  duplicates,
  seconds,
  doneBefore
}: Finished): Promise<BuildSummary> {
  const { indexed, superseded, failed } = followed
  const outcome: Outcome = {
    total: indexed + superseded + failed,
    indexed,
    superseded,
    failed,
    duplicates
  }
  // A collection that was dropped and made again meanwhile lacks these items.
  const there = await keepTrying(() => api.getCollection(config.collection))
  if (there?.incarnation !== record.collectionId)
    throw new UserError(`the collection ${config.collection} was dropped during the build`)
  await writeRecord(config.indexDir, { ...record, outcome })
  const imagesPerSecond = Math.max(0, outcome.total - doneBefore) / seconds
  return {
    ...outcome,
    collection: config.collection,
    wasDone: false,
    failures: followed.failures,
    jobs: followed.jobs,
    seconds,
    imagesPerSecond,
    seq: followed.seq
  }
}
