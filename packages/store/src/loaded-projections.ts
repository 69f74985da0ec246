// The projections of learned profiles by their embedding. The last used ones are in memory.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { StoredProfile } from '@likeness/shared/contract/profile'
import type { Projection } from '@likeness/shared/contract/projection'
import { RecentResults } from '@likeness/shared/data/recent-results'
import { appError } from '@likeness/shared/errors'
import type { ProfileStore } from './profile-store.ts'

export type LoadedProjection = Projection & Pick<StoredProfile, 'name' | 'version'>

/** Most projections in memory, about 3.5 MB each. */
const mostInMemory = 8

/**
 * Rejects with store_unavailable, or with data_corrupt when the profile is gone or damaged. After a
 * failure the next call reads again.
 */
export function createLoadedProjections({
  profiles
}: {
  profiles: Pick<ProfileStore, 'ofEmbedding' | 'readProjection'>
}): (embedding: EmbeddingSpec) => Promise<LoadedProjection> {
  const loaded = new RecentResults<LoadedProjection>(mostInMemory)

  async function load(embedding: EmbeddingSpec): Promise<LoadedProjection> {
    const stored = await profiles.ofEmbedding(embedding)
    if (stored === undefined)
      throw appError('data_corrupt', `the profile of ${embedding.version} was there, and is gone`)
    return {
      name: stored.name,
      version: stored.version,
      ...(await profiles.readProjection(stored))
    }
  }
  return (embedding) => loaded.get(embedding.version, () => load(embedding))
}
