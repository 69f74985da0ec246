// A learned profile: the projection from one model's raw vectors to the vectors of collections, as
// stored, sent over HTTP and named in embedding versions.
import { z } from 'zod'
import { sha256Hex } from '../data/sha256.ts'
import { collectionNameSchema, type EmbeddingSpec } from './collection.ts'
import { partNameSchema, weightSchema } from './embedding-parts.ts'
import { mostParts } from './limits.ts'
import { partsProblem, profilePartsSchema, type ProfilePart, mostRawDim } from './projection.ts'
import { type BuiltInProfile, builtInProfiles, isBuiltInProfile } from './picture-settings.ts'

export const profileNameSchema = collectionNameSchema
/**
 * First 16 digits of the sha256 of the projection, and of its parts. Vectors of two different
 * projections are never compared.
 */
export const profileVersionSchema = z.string().regex(/^[0-9a-f]{16}$/)
export const profileVersionOf = ({
  sha256,
  parts
}: Pick<ProfileDraft, 'sha256' | 'parts'>): string =>
  (parts === undefined
    ? sha256
    : sha256Hex(Buffer.from(JSON.stringify([sha256, parts.map(inOrder)])))
  ).slice(0, 16)
const inOrder = ({ name, raw, dim, weight }: ProfilePart) => [name, raw, dim, weight]
/** `name` for the newest version, or `name@version`. */
export const profileReferenceSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}(@[0-9a-f]{16})?$/, 'NAME, or NAME@VERSION')
/** Name of a learned profile. The names of built-in profiles are reserved. */
export const learnedNameSchema = profileNameSchema.refine(
  (name) => !isBuiltInProfile(name),
  'this is the name of a built-in profile'
)

/**
 * The profile of a collection: a built-in set of picture settings, and a projection other than the
 * model's own.
 */
export interface CollectionProfile {
  builtIn?: BuiltInProfile
  /** NAME or NAME@VERSION. */
  learned?: string
}
/** `vehicle` (built in), `cars` or `cars@VERSION` (learned), or both: `vehicle/cars`. */
export const collectionProfileSchema = z.string().transform((text, ctx): CollectionProfile => {
  const [first = '', second, ...more] = text.split('/')
  const learned = second ?? (isBuiltInProfile(first) ? undefined : first)
  const isGood =
    more.length === 0 &&
    (second === undefined || isBuiltInProfile(first)) &&
    (learned === undefined ||
      (profileReferenceSchema.safeParse(learned).success && !isBuiltInProfile(learned)))
  if (isGood)
    return {
      ...(isBuiltInProfile(first) && { builtIn: first }),
      ...(learned !== undefined && { learned })
    }
  ctx.addIssue({
    code: 'custom',
    message: `one of ${builtInProfiles.join(', ')}; a learned NAME or NAME@VERSION; or both, as vehicle/NAME`
  })
  return z.NEVER
})

const share = z.number().min(0).max(1)
const learnedBySchema = z.enum(['plain', 'views', 'labels', 'own'])
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

const draftShape = {
  /** `${name}@${version}` of the model whose raw vectors the profile takes. */
  model: z
    .string()
    .regex(/^[^/@]+@[^/@]+$/)
    .max(120),
  /** sha256 of the model's source file. It tells two models of the same name and version apart. */
  model_sha256: sha256,
  raw_dim: z.int().min(1).max(mostRawDim),
  dim: z.int().min(1).max(4096),
  /** Parts that are projected apart. Absent: one part over the whole raw vector. */
  parts: profilePartsSchema.optional(),
  /**
   * sha256 of the projection: little-endian f32, of each part the matrix [its dim, its raw numbers]
   * row-major, then the bias [its dim].
   */
  sha256,
  learned: z.strictObject({
    /** `collection NAME` or `folder`. */
    from: z.string().max(300),
    /**
     * The variation that is whitened away. plain: no variation. views: variation between views of a
     * picture. labels: variation within a label. own: the projection stays, weights differ. Of
     * several parts: that of the first one that was learned.
     */
    by: learnedBySchema,
    /**
     * The test question. labels: held-out pictures must find others of their label. views: views of
     * held-out pictures must find those pictures.
     */
    judged_by: z.enum(['labels', 'views']),
    /**
     * Number of pictures that the profile was learned from, and number of those that were held out
     * while it was tried.
     */
    pictures: z.int().min(0),
    held_out: z.int().min(0),
    /** Embedding version that the profile was compared with. */
    before: z.string().max(200),
    /**
     * Rate of correct answers: unprojected, with `before`, and with a profile learned from the
     * other pictures.
     */
    r1_raw: share,
    r1_before: share,
    r1_after: share,
    /** Where there are several parts: of each, in their order. Rates are of the part alone. */
    parts: z
      .array(
        z.strictObject({
          name: partNameSchema,
          by: learnedBySchema,
          weight_before: weightSchema.nullable(),
          r1_before: share.nullable(),
          /** Of the best projection that was learned, which is kept where `by` is not own. */
          r1_learned: share
        })
      )
      .max(mostParts)
      .optional()
  })
}
const fits = z.superRefine<z.infer<z.ZodObject<typeof draftShape>>>((draft, ctx) => {
  const message = partsProblem(draft)
  if (message !== undefined) ctx.addIssue({ code: 'custom', path: ['parts'], message })
})
export const profileDraftSchema = z.strictObject(draftShape).check(fits)
export type ProfileDraft = z.infer<typeof profileDraftSchema>

export const profileSchema = z
  .strictObject({
    name: profileNameSchema,
    version: profileVersionSchema,
    ...draftShape,
    created_at: z.iso.datetime()
  })
  .check(fits)
export type StoredProfile = z.infer<typeof profileSchema>

/** A single part needs no weights, and is no field of an embedding. */
export const partsOfEmbedding = (
  parts: readonly Pick<ProfilePart, 'name' | 'dim' | 'weight'>[] = []
): Pick<EmbeddingSpec, 'parts'> =>
  parts.length > 1 ? { parts: parts.map(({ name, dim, weight }) => ({ name, dim, weight })) } : {}

export const embeddingOfProfile = ({
  name,
  version,
  model,
  dim,
  parts
}: Pick<StoredProfile, 'name' | 'version' | 'model' | 'dim' | 'parts'>): EmbeddingSpec => ({
  version: `${model}/${name}@${version}`,
  dim,
  unit: true,
  ...partsOfEmbedding(parts)
})

/** Returns `${name}@${version}` of the model in an embedding version. */
export const modelOf = (embeddingVersion: string): string => embeddingVersion.split('/', 1)[0]!

/** Returns the names in an embedding version whose profile may be a learned one, or undefined. */
export function parseProfileEmbedding(
  embeddingVersion: string
): { model: string; name: string; version: string } | undefined {
  const [model = '', profile = '', ...more] = embeddingVersion.split('/')
  if (
    more.length > 0 ||
    !profile.includes('@') ||
    !profileReferenceSchema.safeParse(profile).success
  )
    return undefined
  const [name, version] = profile.split('@') as [string, string]
  return { model, name, version }
}
