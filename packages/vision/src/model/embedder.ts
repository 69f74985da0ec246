// Embeds pictures: returns subjects with raw vectors and a raw vector of the whole picture, in a
// single run of the prepared model.
import type { EmbedRuns } from '../runtime/embed-runs.ts'
import { openSession, type OpenSessionOptions } from '../runtime/session.ts'
import { openSemanticEmbedder } from '../semantic/semantic-embedder.ts'
import { withSemantics } from '../semantic/with-semantics.ts'
import type { ModelManifest } from './model-manifest.ts'
import type { PreparedModel } from './model-prepare.ts'
import { createModelRunner } from './model-runner.ts'

export interface Embedder extends EmbedRuns {
  readonly manifest: ModelManifest
  /** The execution provider in use. */
  readonly provider: string
  close(): Promise<void>
}

export interface CreateEmbedderOptions extends OpenSessionOptions {
  model: PreparedModel
}

/**
 * `run` blocks the event loop of the calling thread, so use a separate process. Calls wait for each
 * other. Rejects with `embedder_unavailable` when no named provider works, `invalid_request` for a
 * size that the model cannot take.
 */
export async function createEmbedder(options: CreateEmbedderOptions): Promise<Embedder> {
  const { manifest, semanticPath: path } = options.model
  const opened = await openSession(options)
  const runner = createModelRunner(options.model, opened)
  const detector: EmbedRuns = {
    embed: async (image, embedOptions = {}) => (await runner.run([image], embedOptions))[0]!,
    embedBatch: (images, embedOptions = {}) => runner.run(images, embedOptions),
    embedWhole: (image, sizes) => runner.runWhole(image, sizes)
  }
  const close = () => opened.session.release()
  const { semantic, maps } = manifest
  if (semantic === undefined || path === undefined)
    return { ...detector, manifest, provider: opened.provider, close }
  const embedder = await openSemanticEmbedder({ ...options, path, semantic })
  return {
    ...withSemantics({ detector, embedder, semantic, maps }),
    manifest,
    provider: opened.provider,
    close: async () => void (await Promise.all([close(), embedder.close()]))
  }
}
