// Learns a projection from pictures with a model, and tries it against the model's own or another
// projection.
import { createRandom } from '@likeness/drawing/seeded-random'
import { messageOf } from '@likeness/shared/errors'
import {
  createEmbedder,
  embedViews,
  learnAndTry,
  type LearningWay,
  loadProfile,
  type ModelManifest,
  prepareModel,
  type Profile,
  rawPartsOf,
  type Trial
} from '@likeness/vision'
import type { CommandContext } from '../command.ts'
import { createProgress } from '../progress.ts'
import { readPictures, type SourcePicture } from './gallery-references.ts'

export interface TryRequest {
  pictures: readonly SourcePicture[]
  modelDir: string
  cacheDir: string
  /** Directions that may be whitened; default: all that the pictures allow. */
  ways?: readonly LearningWay[] | undefined
  /** Profile to beat, other than the model's own. */
  against?: (own: { model: string; rawDim: number }) => Promise<Profile | undefined>
}
export interface TriedProfile {
  model: ModelManifest
  before: Profile
  trial: Trial
}

const seed = 23

export async function tryProfile(
  { pictures, modelDir, cacheDir, ways, against }: TryRequest,
  context: CommandContext
): Promise<TriedProfile> {
  const reading = createProgress({ label: 'reading  ', unit: 'pictures' }, context)
  const read = await readPictures(pictures, {
    onProgress: (done, total) => reading.show(done, total),
    onSkipped: (picture, reason) => context.say(`${picture} is left out: ${messageOf(reason)}`)
  })
  reading.done()
  const model = await prepareModel({ modelDir, cacheDir })
  const own = await loadProfile(modelDir)
  const before =
    (await against?.({
      model: `${model.manifest.name}@${model.manifest.version}`,
      rawDim: own.dIn
    })) ?? own
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  try {
    const looking = createProgress({ label: 'learning ', unit: 'canvases' }, context)
    const views = await embedViews({
      embedder,
      references: read.map(({ picture }) => [picture]),
      random: createRandom(seed),
      onProgress: (done, total) => looking.show(done, total)
    })
    looking.done()
    const trial = await learnAndTry(
      read.map(({ label }, i) => ({ label, views: views[i]! })),
      { rawParts: rawPartsOf(model.manifest), before, ...(ways && { ways: () => ways }) }
    )
    return { model: model.manifest, before, trial }
  } finally {
    await embedder.close()
  }
}
