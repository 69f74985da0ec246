// Learned profiles in the object store, where every embed-worker and api process finds them. A
// version is written once: the projection first, the description last.
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { profileKeys, profilesPrefix } from '@likeness/shared/contract/keys'
import {
  embeddingOfProfile,
  parseProfileEmbedding,
  profileSchema,
  type StoredProfile,
  profileReferenceSchema
} from '@likeness/shared/contract/profile'
import {
  type Projection,
  projectionBytes,
  splitProjection
} from '@likeness/shared/contract/projection'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from './object-store.ts'

export interface ProfileStore {
  /** Returns every version of one name, or of all names, newest first. */
  list(name?: string): Promise<StoredProfile[]>
  /**
   * Returns the profile of `name` (its newest version) or `name@version`. Throws profile_not_found.
   */
  resolve(reference: string): Promise<StoredProfile>
  /**
   * Returns the profile that makes this embedding, or undefined when no stored profile does. A
   * found profile is remembered.
   */
  ofEmbedding(
    embedding: Pick<EmbeddingSpec, 'version' | 'dim' | 'unit'>
  ): Promise<StoredProfile | undefined>
  /** Throws data_corrupt when the projection does not match its description. */
  readProjection(profile: StoredProfile): Promise<Projection>
  /**
   * Saves a profile. Saving the same version again changes only its creation time. Throws
   * invalid_request when the bytes do not match the description.
   */
  save(profile: StoredProfile, projection: Uint8Array): Promise<void>
}

/** Returns the reason why these bytes are not the described projection, or undefined. */
function projectionProblem(profile: StoredProfile, bytes: Uint8Array): string | undefined {
  if (bytes.byteLength !== projectionBytes(profile))
    return `it has ${bytes.byteLength} bytes, ${describeSize(profile)} numbers have ${projectionBytes(profile)}`
  if (sha256Hex(bytes) !== profile.sha256) return 'it does not match its sha256'
  return floatsOf(bytes).every(Number.isFinite) ? undefined : 'it has a value that is no number'
}

const describeSize = ({ dim, raw_dim: rawDim, parts }: StoredProfile): string =>
  (parts ?? [{ dim, raw: [0, rawDim] as const }])
    .map((part) => `${part.dim} x (${part.raw[1] - part.raw[0]} + 1)`)
    .join(' + ')

function floatsOf(bytes: Uint8Array): Float32Array {
  // A copy: views of floats need an alignment that a pooled Buffer may not have.
  const copy = new Uint8Array(bytes)
  return new Float32Array(copy.buffer)
}

export function createProfileStore({ store }: { store: ObjectStore }): ProfileStore {
  const known = new Map<string, StoredProfile>()

  async function read(key: string): Promise<StoredProfile | undefined> {
    const stored = await store.get(key)
    return stored && decodeObject(profileSchema, key, stored.body)
  }
  async function list(name?: string): Promise<StoredProfile[]> {
    const keys: string[] = []
    for await (const { key } of store.list(
      name === undefined ? profilesPrefix : `${profilesPrefix}${name}/`
    ))
      if (key.endsWith('.json')) keys.push(key)
    const profiles = (await Promise.all(keys.map(read))).filter((profile) => profile !== undefined)
    return profiles.sort((a, b) => (a.created_at < b.created_at ? 1 : -1))
  }

  async function find(reference: string): Promise<StoredProfile | undefined> {
    const [name, version] = reference.split('@') as [string, string?]
    return version === undefined
      ? (await list(name))[0]
      : await read(profileKeys(name, version).description)
  }

  return {
    list,
    async resolve(reference) {
      const found = profileReferenceSchema.safeParse(reference).success
        ? await find(reference)
        : undefined
      if (found === undefined)
        throw appError('profile_not_found', `there is no profile ${JSON.stringify(reference)}`)
      return found
    },
    async ofEmbedding({ version, dim, unit }) {
      const named = parseProfileEmbedding(version)
      if (named === undefined) return undefined
      const profile =
        known.get(version) ?? (await read(profileKeys(named.name, named.version).description))
      if (
        profile === undefined ||
        embeddingOfProfile(profile).version !== version ||
        profile.dim !== dim ||
        !unit
      )
        return undefined
      known.set(version, profile)
      return profile
    },
    async readProjection(profile) {
      const key = profileKeys(profile.name, profile.version).projection
      const stored = await store.get(key)
      const problem =
        stored === undefined ? 'it is missing' : projectionProblem(profile, stored.body)
      if (problem !== undefined) throw appError('data_corrupt', `${key}: ${problem}`)
      return splitProjection(floatsOf(stored!.body), profile)
    },
    async save(profile, projection) {
      const problem = projectionProblem(profile, projection)
      if (problem !== undefined) throw appError('invalid_request', `projection: ${problem}`)
      const keys = profileKeys(profile.name, profile.version)
      await store.put(keys.projection, projection)
      await store.put(keys.description, encodeObject(profile))
    }
  }
}
