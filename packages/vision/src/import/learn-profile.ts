// The projection that a model is imported with: learned in closed form from views of references, and tried on references held out.
import type { Embedder } from '../embedder.ts'
import { embedViews } from '../learning/embed-views.ts'
import type { Reference } from '../learning/embed-views.ts'
import { learnAndTry } from '../learning/learn-and-try.ts'
import type { ViewRandom } from '../learning/view-mosaic.ts'
import type { ProfileEntry } from '../model-manifest.ts'

export interface LearnedProfile {
  profile: ProfileEntry
  /** Matrix, then bias; little-endian f32. */
  file: Uint8Array
  learned: { from: string; references: number; heldOut: number; recallRaw: number; recallProjected: number; text: string }
}

export interface LearnProfileOptions {
  embedder: Embedder
  references: readonly Reference[]
  /** For the manifest: what the references are. */
  from: string
  /** What the profile is called; a part of its content's hash is added, because vectors of two contents never compare. */
  name: string
  random: ViewRandom
  onProgress?: (done: number, total: number) => void
}

export async function learnProfile({ embedder, references, from, name, random, onProgress }: LearnProfileOptions): Promise<LearnedProfile> {
  const { file, sha256, dIn, dOut, heldOut, recallRaw, recallProjected, ...trial } = await learnAndTry(await embedViews({ embedder, references, random, ...(onProgress && { onProgress }) }))
  const profileName = `${name}-${sha256.slice(0, 8)}`
  const text = `${dIn} -> ${dOut} from six views of ${trial.references} ${from}; of ${heldOut} others a view finds its own first in ${percent(recallProjected)}, unprojected in ${percent(recallRaw)}`
  return {
    profile: { name: profileName, version: 1, file: `${profileName}.profile.f32`, sha256, dim: dOut },
    file,
    learned: { from, references: references.length, heldOut, recallRaw, recallProjected, text }
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
