// Vectors of a learned profile from raw ones, on the addon's pool; the profiles used last are in memory.
import { linearTransform } from '@likeness/faiss'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'
import { fromFloat16 } from '@likeness/shared/float16'
import type { ProfileStore, Projection } from '@likeness/shared/profile-store'
import type { Project } from './embedded-batch.ts'
import { Recent } from './recent.ts'

/** Some 3.5 MB each. */
const mostInMemory = 8

export function createProjector({ profiles }: { profiles: Pick<ProfileStore, 'ofEmbedding' | 'readProjection'> }): Project {
  const loaded = new Recent<Projection>(mostInMemory)

  async function load(embedding: EmbeddingSpec): Promise<Projection> {
    const profile = await profiles.ofEmbedding(embedding)
    if (profile === undefined) throw appError('data_corrupt', `the profile of ${embedding.version} was there, and is gone`)
    return await profiles.readProjection(profile)
  }

  return async (raw, rawDim, embedding) => {
    const projection = await loaded.get(embedding.version, () => load(embedding))
    if (projection.dIn !== rawDim) throw appError('data_corrupt', `the profile of ${embedding.version} takes raw vectors of ${projection.dIn} numbers, those that are kept have ${rawDim}`)
    return raw.length === 0 ? new Float32Array(0) : await linearTransform(fromFloat16(raw), { ...projection, normalize: true })
  }
}
