// Computes the expected vector of each picture with the same model, in a process that is never
// killed.
import { join } from 'node:path'
import { sha256Hex } from '@likeness/shared/data/sha256'
import {
  applyProfile,
  createEmbedder,
  decodeImage,
  loadProfile,
  prepareModel
} from '@likeness/vision'
import { pictureOf } from '../support/pictures.ts'

/** Threshold above every score, so the whole picture is the only row. */
const nothingDetected = 2

export const hashVector = (vector: Float32Array): string =>
  sha256Hex(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)).slice(0, 32)

export type ExpectedVectors = Awaited<ReturnType<typeof createExpectedVectors>>

export async function createExpectedVectors(dir: string) {
  const modelDir = join(dir, 'model')
  const model = await prepareModel({ modelDir, cacheDir: join(dir, 'prepared') })
  const profile = await loadProfile(modelDir)
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  const vectors = new Map<number, { vector: Float32Array; hash: string }>()

  function known(seed: number): { vector: Float32Array; hash: string } {
    const found = vectors.get(seed)
    if (found === undefined) throw new Error(`picture ${seed} was never drawn`)
    return found
  }
  return {
    /** Draws a picture and saves the vector of this picture. */
    async draw(seed: number): Promise<Buffer> {
      const picture = await pictureOf(seed)
      const { whole } = await embedder.embed(await decodeImage(picture), {
        confidence: nothingDetected
      })
      const vector = await applyProfile(whole, profile)
      vectors.set(seed, { vector, hash: hashVector(vector) })
      return picture
    },
    vectorOf: (seed: number): Float32Array => known(seed).vector,
    hashOf: (seed: number): string => known(seed).hash,
    close: () => embedder.close()
  }
}
