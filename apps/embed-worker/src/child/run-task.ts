// Runs a task of a child from bytes to result: read, decode (ahead of the running inference, within
// limits of number and bytes), infer.
import { appError, isAppError, messageOf } from '@likeness/shared/errors'
import type { DecodedImage, OpenedImage } from '@likeness/vision'
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
import { createDecodeLanes, type DecodeLane } from './decode-lanes.ts'
import type { PictureEmbedder } from './embed-picture.ts'
import type { RankItems } from './rank-items.ts'

export interface RunTaskDeps {
  read: (imageKey: string) => Promise<Uint8Array>
  open: (bytes: Uint8Array) => Promise<OpenedImage>
  thumbnail: (picture: DecodedImage, longestSide: number) => Promise<Uint8Array>
  pictures: PictureEmbedder
  compare: ComparePictures
  rank: RankItems
  hooks: TestHooks
  /** Most bytes of decoded query pictures at once, and most bytes of gallery pictures. */
  decodedBytes: number
}
export interface TaskContext {
  priority: Priority
  /** Records the task as started, just before the decoder gets the picture's bytes. */
  touch: () => void
  /** Throws when the task was cancelled. */
  checkCancelled: () => void
}
export type RunTask = (task: ChildTask, context: TaskContext) => Promise<ChildResult>

/**
 * Rejects with the AppErrors of decoding, `image_missing`, `store_unavailable`. Any other error
 * means that the process is not sound.
 */
export function createRunTask({
  read,
  open,
  thumbnail,
  pictures,
  compare,
  rank,
  hooks,
  decodedBytes
}: RunTaskDeps): RunTask {
  const lanes = createDecodeLanes(decodedBytes)

  /** Records a task as started once for all of its pictures: they are suspect together. */
  async function touchAndOpen(all: readonly Uint8Array[], context: TaskContext) {
    context.checkCancelled()
    context.touch()
    all.forEach((bytes) => hooks.beforeDecode(bytes))
    return typedDecode(() => Promise.all(all.map(open)))
  }

  /** Decodes pictures; the lane holds their room until `work` has ended. */
  async function withDecoded<T>(
    lane: DecodeLane,
    all: readonly Uint8Array[],
    context: TaskContext,
    work: (decoded: DecodedImage[], decodeMs: number) => Promise<T>
  ): Promise<T> {
    let decodeMs = 0
    return lane(context.priority === 'small', {
      open: () => touchAndOpen(all, context),
      decode: async ({ decode }) => {
        context.checkCancelled()
        const startedMs = performance.now()
        const picture = await typedDecode(decode)
        decodeMs += performance.now() - startedMs
        return picture
      },
      work: async (decoded) => {
        context.checkCancelled()
        return work(decoded, decodeMs)
      }
    })
  }

  async function runItem(task: ItemTask, context: TaskContext): Promise<ChildResult> {
    const bytes = await read(task.imageKey)
    await hooks.letPass(task.itemId)
    // The picture's memory is free before the projection.
    const { inferred, decodeMs } = await withDecoded(
      lanes.gallery,
      [bytes],
      context,
      async ([picture], ms) => ({
        inferred: await pictures.inferItem(picture!, task, context),
        decodeMs: ms
      })
    )
    return { ...(await pictures.finishItem(inferred, task, context)), decodeMs }
  }

  const runQuery = (task: QueryTask, context: TaskContext): Promise<ChildResult> =>
    withDecoded(lanes.query, [task.bytes], context, async ([picture], decodeMs) => ({
      ...(await pictures.embedQuery(picture!, task, context)),
      decodeMs
    }))

  async function runCompare(task: CompareTask, context: TaskContext): Promise<ChildResult> {
    const stored = await read(task.imageKey)
    return withDecoded(lanes.query, [task.bytes, stored], context, async ([query, item]) => ({
      kind: 'compared',
      ...(await compare(query!, item!, task, context))
    }))
  }

  const runThumbnail = (task: ThumbnailTask, context: TaskContext): Promise<ChildResult> =>
    withDecoded(lanes.query, [task.bytes], context, async ([picture]) => ({
      kind: 'thumbnail',
      jpeg: await thumbnail(picture!, task.longestSide)
    }))

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
