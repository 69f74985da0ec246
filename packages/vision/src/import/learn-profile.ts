// The projection that a model is imported with: learned in closed form from views of references, and tried on references held out.
import { createHash } from 'node:crypto'
import { linearTransform } from '@likeness/faiss'
import type { Embedder } from '../embedder.ts'
import { embedViews } from '../learning/embed-views.ts'
import type { Reference } from '../learning/embed-views.ts'
import { recallAmong } from '../learning/held-out-recall.ts'
import { learnProjection } from '../learning/learn-projection.ts'
import type { Projection } from '../learning/learn-projection.ts'
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

const dim = 512
const heldOutEvery = 6

export async function learnProfile({ embedder, references, from, name, random, onProgress }: LearnProfileOptions): Promise<LearnedProfile> {
  const views = await embedViews({ embedder, references, random, ...(onProgress && { onProgress }) })
  const isHeldOut = (_: unknown, i: number): boolean => i % heldOutEvery === heldOutEvery - 1
  const projection = await learnProjection(views.filter((own, i) => !isHeldOut(own, i)), dim)
  const heldOut = views.filter(isHeldOut)
  const projected = []
  for (const own of heldOut) projected.push(await Promise.all(own.map((row) => linearTransform(row, { ...projection, normalize: true }))))
  const file = toBytes(projection)
  const sha256 = createHash('sha256').update(file).digest('hex')
  const profileName = `${name}-${sha256.slice(0, 8)}`
  const [recallRaw, recallProjected] = [recallAmong(heldOut), recallAmong(projected)]
  const text = `${projection.dIn} -> ${projection.dOut} from six views of ${references.length - heldOut.length} ${from}; of ${heldOut.length} others a view finds its own first in ${percent(recallProjected)}, unprojected in ${percent(recallRaw)}`
  return {
    profile: { name: profileName, version: 1, file: `${profileName}.profile.f32`, sha256, dim: projection.dOut },
    file,
    learned: { from, references: references.length, heldOut: heldOut.length, recallRaw: rounded(recallRaw), recallProjected: rounded(recallProjected), text }
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
const rounded = (share: number): number => Number(share.toFixed(4))

function toBytes({ matrix, bias }: Projection): Uint8Array {
  const all = new Float32Array(matrix.length + bias.length)
  all.set(matrix)
  all.set(bias, matrix.length)
  return new Uint8Array(all.buffer)
}
