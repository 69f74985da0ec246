// Runs a task of a child from bytes to result: read, decode (with a limit, ahead of the running
// inference), infer.
import { createSemaphore } from '@likeness/shared/data/semaphore'
import { appError, isAppError, messageOf } from '@likeness/shared/errors'
import type { DecodedImage } from '@likeness/vision'
import type {
  ChildResult,
  ChildTask,
  CompareTask,
  ItemTask,
  Priority,
  QueryTask,
  ThumbnailTask
} from '../child-protocol.ts'
import type { TestHooks } from '../test-hooks.ts'
import type { ComparePictures } from './compare-pictures.ts'
import type { PictureEmbedder } from './embed-picture.ts'
import type { RankItems } from './rank-items.ts'

export interface RunTaskDeps {
  read: (imageKey: string) => Promise<Uint8Array>
  decode: (bytes: Uint8Array) => Promise<DecodedImage>
  thumbnail: (bytes: Uint8Array, longestSide: number) => Promise<Uint8Array>
  pictures: PictureEmbedder
  compare: ComparePictures
  rank: RankItems
  hooks: TestHooks
}
export interface TaskContext {
  priority: Priority
  /** Records the task as started, just before the decoder gets the picture's bytes. */
  touch: () => void
  /** Throws when the task was cancelled. */
  checkCancelled: () => void
}
export type RunTask = (task: ChildTask, context: TaskContext) => Promise<ChildResult>

/** Gallery pictures that are decoded or being inferred: the first runs, the next is ready. */
const galleryInFlight = 2
const queryDecodes = 2

/**
 * Rejects with the AppErrors of decoding, `image_missing`, `store_unavailable`. Any other error
 * means that the process is not sound.
 */
export function createRunTask({
  read,
  decode,
  thumbnail,
  pictures,
  compare,
  rank,
  hooks
}: RunTaskDeps): RunTask {
  const galleryPermits = createSemaphore(galleryInFlight)
  const queryPermits = createSemaphore(queryDecodes)

  /** Records a task as started once for all of its pictures: they are suspect together. */
  async function touchAndDecode<T>(
    pictures: readonly Uint8Array[],
    { touch, checkCancelled }: TaskContext,
    work: () => Promise<T>
  ) {
    checkCancelled()
    touch()
    pictures.forEach((bytes) => hooks.beforeDecode(bytes))
    const startedMs = performance.now()
    const value = await typedDecode(work)
    checkCancelled()
    return { value, decodeMs: performance.now() - startedMs }
  }

  async function runItem(task: ItemTask, context: TaskContext): Promise<ChildResult> {
    const { inferred, decodeMs } = await inferItem(task, context)
    return { ...(await pictures.finishItem(inferred, task, context)), decodeMs }
  }

  /** A separate function, so that the picture's memory is free afterwards. */
  async function inferItem(task: ItemTask, context: TaskContext) {
    const bytes = await read(task.imageKey)
    await hooks.letPass(task.itemId)
    const release = await galleryPermits.take(context.priority === 'small')
    try {
      const { value, decodeMs } = await touchAndDecode([bytes], context, () => decode(bytes))
      return { inferred: await pictures.inferItem(value, task, context), decodeMs }
    } finally {
      release()
    }
  }

  async function runQuery(task: QueryTask, context: TaskContext): Promise<ChildResult> {
    const release = await queryPermits.take(false)
    const { value, decodeMs } = await touchAndDecode([task.bytes], context, () =>
      decode(task.bytes)
    ).finally(release)
    return { ...(await pictures.embedQuery(value, task, context)), decodeMs }
  }

  async function runCompare(task: CompareTask, context: TaskContext): Promise<ChildResult> {
    const stored = await read(task.imageKey)
    const release = await queryPermits.take(false)
    const { value } = await touchAndDecode([task.bytes, stored], context, async () => ({
      query: await decode(task.bytes),
      item: await decode(stored)
    })).finally(release)
    return { kind: 'compared', ...(await compare(value.query, value.item, task, context)) }
  }

  async function runThumbnail(task: ThumbnailTask, context: TaskContext): Promise<ChildResult> {
    const release = await queryPermits.take(false)
    const { value } = await touchAndDecode([task.bytes], context, () =>
      thumbnail(task.bytes, task.longestSide)
    ).finally(release)
    return { kind: 'thumbnail', jpeg: value }
  }

  return async (task, context) => {
    switch (task.kind) {
      case 'item':
        return runItem(task, context)
      case 'query':
        return runQuery(task, context)
      case 'compare':
        return runCompare(task, context)
      case 'rank':
        return { kind: 'ranked', ...(await rank(task)) }
      case 'thumbnail':
        return runThumbnail(task, context)
    }
  }
}

/** An unexpected error of a decoder means that the picture cannot be read. */
async function typedDecode<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isAppError(error)
      ? error
      : appError('image_corrupt', `the picture cannot be decoded: ${messageOf(error)}`, {
          cause: error
        })
  }
}
