// The projection for an imported model: learned in closed form from views of references, and tried
// on held-out references.
import { embedViews, type Reference } from '../learning/embed-views.ts'
import { learnAndTry, type Trial, type TrialPart } from '../learning/learn-and-try.ts'
import type { LearningWay } from '../learning/learn-part.ts'
import type { ViewRandom } from '../learning/view-mosaic.ts'
import { describeParts } from '@likeness/shared/contract/projection'
import type { Embedder } from '../model/embedder.ts'
import type { ProfileEntry } from '../model/model-manifest.ts'
import { rawPartsOf, usualPart } from '../onnx/pooled-map.ts'

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
    /** Present where there are several parts. */
    parts?: TrialPart[]
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
 * Learns the profile, each part by itself, with the weight 1. Of parts for kinds only the mean is
 * removed: they were trained for kinds, which vary more than views of a picture.
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
  const trial = await learnAndTry(
    views.map((own) => ({ label: null, views: own })),
    {
      rawParts: rawPartsOf(embedder.manifest),
      ways: (part) => [part === usualPart ? 'views' : 'plain'],
      learnsWeights: false
    }
  )
  return toLearnedProfile(trial, { from, name })
}

/** Profile in the form of a model's folder. */
export function toLearnedProfile(
  trial: Trial,
  { from, name }: { from: string; name: string }
): LearnedProfile {
  const { projection, file, sha256, parts, pictures, heldOut, recallRaw, recallProjected } = trial
  const profileName = `${name}-${sha256.slice(0, 8)}`
  return {
    profile: {
      name: profileName,
      version: 1,
      file: `${profileName}.profile.f32`,
      sha256,
      dim: projection.dOut,
      ...describeParts(projection)
    },
    file,
    learned: {
      from,
      references: pictures,
      heldOut,
      recallRaw,
      recallProjected,
      ...(parts.length > 1 && { parts }),
      text: describeTrial(trial, from)
    }
  }
}

function describeTrial(
  { parts, judgedBy, pictures, heldOut, recallRaw, recallProjected, recallBefore }: Trial,
  from: string
): string {
  const before =
    recallBefore === null ? '' : `, with the model's own projection in ${percent(recallBefore)}`
  const asked = judgedBy === 'labels' ? 'each finds its label' : 'a view finds its own'
  return `${describeLearned(parts, `six views of ${pictures} ${from}`)}; of ${heldOut} that were kept apart for a trial ${asked} first in ${percent(recallProjected)}${before}, unprojected in ${percent(recallRaw)}`
}

function describeLearned(parts: readonly TrialPart[], views: string): string {
  const [first] = parts
  if (parts.length === 1)
    return `${first!.dIn} -> ${first!.dim} from ${views}, ${whitened[first!.by]}`
  const each = parts.map(
    ({ name, dIn, dim, by, weight }) =>
      `${name} ${dIn} -> ${dim} (${whitened[by]}, weight ${weight})`
  )
  return `${each.join(', ')} from ${views}`
}

/** Description of each way of learning, in words. */
export const whitened: Record<LearningWay | 'own', string> = {
  plain: 'nothing whitened',
  views: 'what varies between views whitened',
  labels: 'what varies within labels whitened',
  own: 'as it was'
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
