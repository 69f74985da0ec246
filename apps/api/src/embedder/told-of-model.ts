// What embed-workers tell of the model of an embedding.
import { modelOf } from '@likeness/shared/contract/profile'
import type { EmbedderAddress } from '@likeness/shared/contract/work'

/** undefined where no embed-worker of this model tells it. */
export const toldOfModel = <K extends 'classes' | 'settings'>(
  embedders: readonly EmbedderAddress[],
  embeddingVersion: string,
  fact: K
): EmbedderAddress[K] =>
  embedders.find(
    (one) => modelOf(one.embedding.version) === modelOf(embeddingVersion) && one[fact] !== undefined
  )?.[fact]
