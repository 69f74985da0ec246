// Entry of an inference child: loads the model, reports it, and serves tasks until the supervisor
// is gone. Started with fork only.
import path from 'node:path'
import { maxDecodedPictures } from '@likeness/shared/contract/limits'
import { isAppError, messageOf } from '@likeness/shared/errors'
import { createLogger } from '@likeness/shared/process/logger'
import { onParentGone, tellParent } from '@likeness/shared/process/parent'
import { openConfiguredStore } from '@likeness/store/configured-store'
import { createProfileStore } from '@likeness/store/profile-store'
import { createEmbedder, embeddingOf, loadProfile, openImage, prepareModel } from '@likeness/vision'
import type { FromChild, ToChild } from '../child-protocol.ts'
import { readChildConfig } from '../config.ts'
import { createPriorityMutex, turnLoop } from '../priority-mutex.ts'
import { createStartedTasksWriter, startedTasksFd } from '../started-tasks-file.ts'
import { createTestHooks } from '../test-hooks.ts'
import { createPictureComparer } from './compare-pictures.ts'
import { createPictureEmbedder } from './embed-picture.ts'
import { createOutbox } from './outbox.ts'
import { createProjectTogether } from './project-together.ts'
import { createProjections } from './projections.ts'
import { createItemRanker } from './rank-items.ts'
import { readPicture } from './read-picture.ts'
import { createRunTask } from './run-task.ts'
import { createTaskServer } from './serve-tasks.ts'
import { makeThumbnail } from './thumbnail.ts'

const aliveEveryMs = 2_000
const readTimeoutMs = 60_000
/** sharp gives up a decode after 60 s. A decode that lasts longer hangs in native code. */
const decodeTimeoutMs = 75_000
const rgbBytes = 3

const config = readChildConfig(process.env)
const logger = createLogger({ app: 'embed-child', level: config.LOG_LEVEL })
const send = createOutbox(tellParent)

function giveUp(error: unknown): never {
  logger.fatal({ err: error }, 'inference process gives up')
  process.exit(1)
}

async function load() {
  const model = await prepareModel({
    modelDir: config.MODEL_DIR,
    cacheDir: path.join(config.DATA_DIR, 'models')
  })
  const profile = await loadProfile(config.MODEL_DIR)
  const embedder = await createEmbedder({
    model,
    executionProviders: config.EXECUTION_PROVIDERS,
    threads: 1,
    log: (fields, message) => logger.info(fields, message)
  })
  const store = await openConfiguredStore(config)
  const gate = createPriorityMutex({ turn: turnLoop })
  const embedding = embeddingOf(model.manifest, profile)
  const { project, profileOf } = createProjections({
    own: { embedding, profile },
    profiles: createProfileStore({ store })
  })
  const runTask = createRunTask({
    read: (key) =>
      readPicture(store, key, { maxBytes: config.MAX_UPLOAD_BYTES, timeoutMs: readTimeoutMs }),
    open: async (bytes) => {
      const opened = await watched(() => openImage(bytes, { maxPixels: config.MAX_IMAGE_PIXELS }))
      return { ...opened, decode: () => watched(opened.decode) }
    },
    thumbnail: (picture, longestSide) => watched(() => makeThumbnail(picture, longestSide)),
    decodedBytes: maxDecodedPictures * rgbBytes * config.MAX_IMAGE_PIXELS,
    pictures: createPictureEmbedder({
      embedder,
      gate,
      project,
      projectTogether: createProjectTogether({ project })
    }),
    compare: createPictureComparer({ embedder, gate, profileOf }),
    rank: createItemRanker({ manifest: embedder.manifest, profileOf }),
    hooks: createTestHooks(config.LIKENESS_TEST_HOOKS)
  })
  const { name, version, sha256 } = model.manifest
  return {
    serve: createTaskServer({
      runTask,
      gate,
      send,
      touch: createStartedTasksWriter(startedTasksFd),
      onBroken: giveUp
    }),
    model: {
      id: `${name}@${version}`,
      sha256,
      embedding,
      rawDim: profile.dIn,
      classes: model.manifest.classes,
      provider: embedder.provider
    }
  }
}

/**
 * Ends the process when a decode never ends. Such a picture is suspect, the same as a picture that
 * kills the process.
 */
async function watched<T>(work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(
    () => giveUp(new Error(`a picture was not decoded in ${decodeTimeoutMs} ms`)),
    decodeTimeoutMs
  )
  try {
    return await work()
  } finally {
    clearTimeout(timer)
  }
}

// The supervisor ends its children. A Ctrl-C in the terminal reaches the children too, and must not
// end them first.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
onParentGone(() => process.exit(0))

try {
  const { serve, model } = await load()
  process.on('message', (message: ToChild) =>
    message.type === 'close' ? process.exit(0) : serve(message)
  )
  setInterval(() => send({ type: 'alive' }), aliveEveryMs)
  send({ type: 'ready', model })
} catch (error) {
  logger.error({ err: error }, 'inference process cannot load')
  const fatal: FromChild = {
    type: 'fatal',
    code: isAppError(error) ? error.code : 'internal',
    message: messageOf(error)
  }
  process.send?.([fatal], () => process.exit(1))
}
