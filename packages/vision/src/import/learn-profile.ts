// The projection for an imported model: learned in closed form from views of references, and tried
// on held-out references.
import { embedViews, type Reference } from '../learning/embed-views.ts'
import { learnAndTry, type LearningWay, type Trial } from '../learning/learn-and-try.ts'
import type { ViewRandom } from '../learning/view-mosaic.ts'
import type { Embedder } from '../model/embedder.ts'
import type { ProfileEntry } from '../model/model-manifest.ts'

export interface LearnedProfile {
  profile: ProfileEntry
  /** Matrix, then bias; little-endian f32. */
  file: Uint8Array
  learned: {
    from: string
    references: number
    heldOut: number
    recallRaw: number
    recallProjected: number
    text: string
  }
}

export interface LearnProfileOptions {
  embedder: Embedder
  references: readonly Reference[]
  /** Description of the references, for the manifest. */
  from: string
  /**
   * Name of the profile. A part of the content's hash is added, because vectors of two contents
   * never compare.
   */
  name: string
  random: ViewRandom
  onProgress?: (done: number, total: number) => void
}

/**
 * Learns the profile. With an embedder alone, only the mean is removed: the embedder was trained
 * for kinds, which vary more than views of a picture.
 */
export async function learnProfile({
  embedder,
  references,
  from,
  name,
  random,
  onProgress
}: LearnProfileOptions): Promise<LearnedProfile> {
  const views = await embedViews({
    embedder,
    references,
    random,
    ...(onProgress && { onProgress })
  })
  const isSemantic = embedder.manifest.semantic?.kind === 'semantic'
  const trial = await learnAndTry(
    views.map((own) => ({ label: null, views: own })),
    { ways: [isSemantic ? 'plain' : 'views'] }
  )
  return toLearnedProfile(trial, { from, name })
}

/** Profile in the form of a model's folder. */
export function toLearnedProfile(
  {
    file,
    sha256,
    dIn,
    dOut,
    by,
    judgedBy,
    pictures,
    heldOut,
    recallRaw,
    recallProjected,
    recallBefore
  }: Trial,
  { from, name }: { from: string; name: string }
): LearnedProfile {
  const profileName = `${name}-${sha256.slice(0, 8)}`
  const before =
    recallBefore === null ? '' : `, with the model's own projection in ${percent(recallBefore)}`
  const text = `${dIn} -> ${dOut} from six views of ${pictures} ${from}, ${whitened[by]}; of ${heldOut} that were kept apart for a trial ${judgedBy === 'labels' ? 'each finds its label' : 'a view finds its own'} first in ${percent(recallProjected)}${before}, unprojected in ${percent(recallRaw)}`
  return {
    profile: {
      name: profileName,
      version: 1,
      file: `${profileName}.profile.f32`,
      sha256,
      dim: dOut
    },
    file,
    learned: { from, references: pictures, heldOut, recallRaw, recallProjected, text }
  }
}

/** Description of each way of learning, in words. */
export const whitened: Record<LearningWay, string> = {
  plain: 'nothing whitened',
  views: 'what varies between views whitened',
  labels: 'what varies within labels whitened'
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
