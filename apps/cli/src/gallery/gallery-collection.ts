// The collection of a gallery's yaml: required properties, the check of an existing collection, and
// the creation.
import { setTimeout as pause } from 'node:timers/promises'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import { type Enrolment, enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import {
  type CollectionProfile,
  embeddingOfProfile,
  modelOf,
  parseProfileEmbedding
} from '@likeness/shared/contract/profile'
import type { ApiClient } from '../api/api-client.ts'
import type { GalleryConfig } from '../gallery-config/load-gallery-config.ts'
import { UserError } from '../user-error.ts'

const embedderWaitMs = 60_000

/**
 * Returns the embed-workers' embedding, or the embedding with the yaml's profile. UserError when no
 * embed-worker is there in time, or when the yaml asks for another size.
 */
export async function embeddingFor(
  api: ApiClient,
  {
    embeddingSize,
    file,
    profile: { learned }
  }: Pick<GalleryConfig, 'embeddingSize' | 'file' | 'profile'>
): Promise<EmbeddingSpec> {
  const endMs = Date.now() + embedderWaitMs
  for (;;) {
    const [embedder] = (await api.getStatus()).lanes
    if (embedder !== undefined) {
      const embedding =
        learned === undefined
          ? embedder.embedding
          : await embeddingWith(api, { profile: learned, file })
      const { dim, version } = embedding
      if (embeddingSize === undefined || embeddingSize === dim) return embedding
      throw new UserError(
        `${file}: embedding_size is ${embeddingSize}, the model ${version} makes vectors of ${dim}`
      )
    }
    if (Date.now() > endMs)
      throw new UserError(`${api.url} has no embed-worker: start one and try again`)
    await pause(200)
  }
}

async function embeddingWith(
  api: ApiClient,
  { profile: reference, file }: { profile: string; file: string }
): Promise<EmbeddingSpec> {
  const profile = await api.getProfile(reference)
  if (profile === undefined)
    throw new UserError(
      `${file}: there is no profile ${reference}: \`likeness profile list\` shows those there are`
    )
  return embeddingOfProfile(profile)
}

function settingsOf({
  pictures,
  sealThreshold,
  searchBudget,
  scoreThres,
  hammingThreshold
}: GalleryConfig): Record<string, unknown> {
  return {
    ...pictures,
    ...(sealThreshold !== undefined && { seal_threshold: sealThreshold }),
    ...(searchBudget !== undefined && { search_budget: searchBudget }),
    ...(scoreThres !== undefined && { score_thres: scoreThres }),
    ...(hammingThreshold !== undefined && { hamming_threshold: hammingThreshold })
  }
}

/** `embedding`: embedding of supplied vectors; absent: the embed-workers' embedding. */
export const createGallery = (
  api: ApiClient,
  config: GalleryConfig,
  embedding?: EmbeddingSpec
): Promise<CollectionAnswer> =>
  api.createCollection(config.collection, {
    index_method: config.indexMethod,
    metric: config.metric,
    storage: config.storage,
    rescore: config.rescore,
    settings: settingsOf(config),
    ...(embedding !== undefined && { embedding }),
    ...profileOf(config.profile, embedding !== undefined)
  })

/**
 * Returns the profile as written. A learned profile implies an embedding, so it is dropped when an
 * embedding is named.
 */
function profileOf(
  { builtIn, learned }: CollectionProfile,
  hasEmbedding: boolean
): { profile?: string } {
  const names = [builtIn, hasEmbedding ? undefined : learned].filter((name) => name !== undefined)
  return names.length === 0 ? {} : { profile: names.join('/') }
}

/** Advice for a collection that only differs in the projection of the same model. */
function profileWays(
  { name, embedding: { version } }: CollectionAnswer,
  wanted: EmbeddingSpec
): string {
  const [has, wants] = [parseProfileEmbedding(version), parseProfileEmbedding(wanted.version)]
  if (modelOf(version) !== modelOf(wanted.version)) return ''
  const keep = has && `the profile ${has.name}@${has.version} below Likeness: takes it as it is; `
  const change =
    wants &&
    `\`likeness profile apply ${wants.name}@${wants.version} --collection ${name}\` changes it; `
  return `${keep ?? ''}${change ?? ''}or `
}

/**
 * UserError when the collection does not fit the yaml and the model: with every difference, and
 * both values.
 */
export function checkFits(
  there: CollectionAnswer,
  config: GalleryConfig,
  embedding: EmbeddingSpec
): void {
  if (there.embedding.version !== embedding.version) {
    throw new UserError(
      `index_dir ${config.indexDir} belongs to the embedding ${there.embedding.version}, not to ${embedding.version}: ${profileWays(there, embedding)}build it anew with --force, or name another index_dir`
    )
  }
  const pairs: [string, unknown, unknown][] = [
    ['index_method', there.index_method, config.indexMethod],
    ['dist_type', there.metric, config.metric],
    ['storage', there.storage, config.storage],
    ['rescore', there.rescore, config.rescore],
    ['hamming_threshold', there.settings.hamming_threshold, config.hammingThreshold],
    ['profile', there.settings.profile, config.profile.builtIn ?? 'general'],
    ...Object.keys(enrolmentSchema.shape).map((name): [string, unknown, unknown] => [
      name,
      there.settings[name],
      config.pictures[name as keyof Enrolment] ?? there.settings[name]
    ])
  ]
  const wrong = pairs
    .filter(([, is, wanted]) => JSON.stringify(is) !== JSON.stringify(wanted))
    .map(([name, is, wanted]) => `${name} ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`)
  if (wrong.length > 0)
    throw new UserError(
      `${config.file}: the collection ${there.name} was built with ${wrong.join(', and ')}: change the file back, or build anew with --force`
    )
}
