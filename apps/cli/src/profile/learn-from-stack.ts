// `likeness profile learn`: learns the projection with the model of the stack, tries it on held-out
// things, and stores only a better projection.
import { join } from 'node:path'
import {
  modelOf,
  parseProfileEmbedding,
  type ProfileDraft,
  type StoredProfile
} from '@likeness/shared/contract/profile'
import { describeParts } from '@likeness/shared/contract/projection'
import { embeddingVersion, type LearningWay, type Profile, type TrialPart } from '@likeness/vision'
import type { ApiClient } from '../api/api-client.ts'
import type { CommandContext } from '../command.ts'
import { modelDirFromEnvironment } from '../config.ts'
import { listModels, modelsDirOf, readShownManifest } from '../model/model-folders.ts'
import { UserError } from '../user-error.ts'
import type { SourcePicture } from './gallery-references.ts'
import { tryProfile } from './try-profile.ts'

export interface LearnRequest {
  api: ApiClient
  name: string
  /** `collection NAME` or `folder`. */
  from: string
  pictures: readonly SourcePicture[]
  /** Directions that may be whitened; undefined: all that the pictures allow. */
  ways: readonly LearningWay[] | undefined
  /** The embedding to beat, where it is a learned profile; else the model's own. */
  against: string | undefined
  /**
   * Folder of the model; undefined: the stack's model, found among the models that this program
   * knows.
   */
  modelDir: string | undefined
  data: string | undefined
}
export interface Learned {
  draft: ProfileDraft
  /** The stored profile; undefined when the projection is not clearly better. */
  stored: StoredProfile | undefined
}

export async function learnFromStack(
  { api, name, from, pictures, ways, against, modelDir, data }: LearnRequest,
  context: CommandContext
): Promise<Learned> {
  const dir = modelDir ?? (await modelOfStack(api, data))
  const { model, before, trial } = await tryProfile(
    {
      pictures,
      ways,
      against: (own) => profileOf(api, against, own),
      modelDir: dir,
      cacheDir: join(modelsDirOf(data), '.prepared')
    },
    context
  )
  const { projection, parts } = trial
  const draft: ProfileDraft = {
    model: `${model.name}@${model.version}`,
    model_sha256: model.sha256,
    raw_dim: projection.dIn,
    dim: projection.dOut,
    ...describeParts(projection),
    sha256: trial.sha256,
    learned: {
      from,
      by: trial.by,
      judged_by: trial.judgedBy,
      pictures: trial.pictures,
      held_out: trial.heldOut,
      before: embeddingVersion(model, before),
      r1_raw: trial.recallRaw,
      r1_before: trial.recallBefore!,
      r1_after: trial.recallProjected,
      ...(parts.length > 1 && { parts: parts.map(describePart) })
    }
  }
  return {
    draft,
    stored: trial.isBetter ? await api.putProfile(name, draft, trial.file) : undefined
  }
}

const describePart = ({ name, by, weightBefore, recallBefore, recallLearned }: TrialPart) => ({
  name,
  by,
  weight_before: weightBefore,
  r1_before: recallBefore,
  r1_learned: recallLearned
})

/**
 * Returns the learned profile of this model in an embedding; undefined when the embedding has no
 * such profile.
 */
async function profileOf(
  api: ApiClient,
  embedding: string | undefined,
  { model, rawDim }: { model: string; rawDim: number }
): Promise<Profile | undefined> {
  const named = embedding === undefined ? undefined : parseProfileEmbedding(embedding)
  if (named?.model !== model) return undefined
  const stored = await api.getProfile(`${named.name}@${named.version}`)
  if (stored === undefined || stored.raw_dim !== rawDim)
    throw new UserError(
      `the profile ${named.name}@${named.version}, which the collection has, ${stored === undefined ? 'is gone' : `takes ${stored.raw_dim} numbers, the model gives ${rawDim}`}`
    )
  return { name: stored.name, version: stored.version, ...(await api.getProjection(stored)) }
}

/** UserError when the stack has no embed-worker, or runs a model that is not on this machine. */
async function modelOfStack(api: ApiClient, data: string | undefined): Promise<string> {
  const [embedder] = (await api.getStatus()).lanes
  if (embedder === undefined)
    throw new UserError(`${api.url} has no embed-worker: start one and try again`)
  const wanted = modelOf(embedder.embedding.version)
  const named = modelDirFromEnvironment()
  for (const { dir } of [
    ...(named === undefined ? [] : [{ dir: named }]),
    ...(await listModels(data))
  ]) {
    const { name, version } = await readShownManifest(dir)
    if (`${name}@${version}` === wanted) return dir
  }
  throw new UserError(
    `the stack runs the model ${wanted}, which is neither MODEL_DIR nor among those of \`likeness model list\`: --model DIR says where it is`
  )
}
