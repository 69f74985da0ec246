// Makes vectors of a learned profile from raw vectors, on the addon's pool.
import { applyProjection } from '@likeness/faiss'
import { fromFloat16 } from '@likeness/shared/data/float16'
import { appError } from '@likeness/shared/errors'
import { createLoadedProjections } from '@likeness/store/loaded-projections'
import type { ProfileStore } from '@likeness/store/profile-store'
import type { Project } from './embedded-batch.ts'

export function createProjector(deps: {
  profiles: Pick<ProfileStore, 'ofEmbedding' | 'readProjection'>
}): Project {
  const projectionOf = createLoadedProjections(deps)
  return async (raw, rawDim, embedding) => {
    const projection = await projectionOf(embedding)
    if (projection.dIn !== rawDim)
      throw appError(
        'data_corrupt',
        `the profile of ${embedding.version} takes raw vectors of ${projection.dIn} numbers, those that are kept have ${rawDim}`
      )
    return applyProjection(fromFloat16(raw), projection)
  }
}
