// `likeness profile learn`: the projection learned with the model that the stack runs, tried on things kept apart, and stored only if it is better there.
import { join } from 'node:path'
import { createEmbedder, embeddingVersion, embedViews, learnAndTry, loadProfile, prepareModel } from '@likeness/vision'
import type { Trial } from '@likeness/vision'
import { messageOf } from '@likeness/shared/errors'
import { modelOf } from '@likeness/shared/contract/profile'
import type { ProfileDraft, StoredProfile } from '@likeness/shared/contract/profile'
import type { ApiClient } from '../api-client.ts'
import type { CommandContext } from '../command.ts'
import { modelDirFromEnvironment } from '../config.ts'
import { createRandom } from '../drawing/seeded-random.ts'
import { listModels, modelsDirOf, readShownManifest } from '../model/model-folders.ts'
import { createProgress } from '../progress.ts'
import { UserError } from '../user-error.ts'
import { readGroups } from './gallery-references.ts'
import type { ReferencePlan } from './gallery-references.ts'

export interface LearnRequest {
  api: ApiClient
  name: string
  /** `collection NAME`, `folder`. */
  from: string
  plan: ReferencePlan
  /** Folder of the model; undefined: the one that the stack runs, among those that this program knows. */
  modelDir: string | undefined
  data: string | undefined
}
export interface Learned {
  draft: ProfileDraft
  /** Stored; undefined when it is not clearly better. */
  stored: StoredProfile | undefined
}

const seed = 23

export async function learnFromStack({ api, name, from, plan, modelDir, data }: LearnRequest, context: CommandContext): Promise<Learned> {
  const dir = modelDir ?? (await modelOfStack(api, data))
  const references = await readAll(plan, context)
  const model = await prepareModel({ modelDir: dir, cacheDir: join(modelsDirOf(data), '.prepared') })
  const before = await loadProfile(dir)
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  let trial: Trial
  try {
    const progress = createProgress({ label: 'learning ', unit: 'canvases' }, context)
    const views = await embedViews({ embedder, references, random: createRandom(seed), onProgress: (done, total) => progress.show(done, total) })
    progress.done()
    trial = await learnAndTry(views, { before })
  } finally {
    await embedder.close()
  }
  const draft: ProfileDraft = {
    model: `${model.manifest.name}@${model.manifest.version}`, model_sha256: model.manifest.sha256, raw_dim: trial.dIn, dim: trial.dOut, sha256: trial.sha256,
    learned: {
      from, by: plan.by, references: trial.references, held_out: trial.heldOut, before: embeddingVersion(model.manifest, before),
      r1_raw: trial.recallRaw, r1_before: trial.recallBefore!, r1_after: trial.recallProjected
    }
  }
  return { draft, stored: trial.isBetter ? await api.putProfile(name, draft, trial.file) : undefined }
}

async function readAll({ groups }: ReferencePlan, context: CommandContext) {
  const progress = createProgress({ label: 'reading  ', unit: 'things' }, context)
  const references = await readGroups(groups, {
    onProgress: (done, total) => progress.show(done, total),
    onSkipped: (picture, reason) => context.say(`${picture} is left out: ${messageOf(reason)}`)
  })
  progress.done()
  return references
}

/** UserError when the stack has no embed-worker, or runs a model that is not on this machine. */
async function modelOfStack(api: ApiClient, data: string | undefined): Promise<string> {
  const [lane] = (await api.getStatus()).lanes
  if (lane === undefined) throw new UserError(`${api.url} has no embed-worker: start one and try again`)
  const wanted = modelOf(lane.embedding.version)
  const named = modelDirFromEnvironment()
  for (const { dir } of [...(named === undefined ? [] : [{ dir: named }]), ...(await listModels(data))]) {
    const { name, version } = await readShownManifest(dir)
    if (`${name}@${version}` === wanted) return dir
  }
  throw new UserError(`the stack runs the model ${wanted}, which is neither MODEL_DIR nor among those of \`likeness model list\`: --model DIR says where it is`)
}
