// A profile: the versioned linear projection that turns raw vectors into a collection's vectors,
// outside the graph.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { applyProjection } from '@likeness/faiss'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { weighBothSides } from '@likeness/shared/contract/embedding-parts'
import { partsOfEmbedding } from '@likeness/shared/contract/profile'
import {
  type Projection,
  projectionBytes,
  splitProjection
} from '@likeness/shared/contract/projection'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import { type ModelManifest, readManifestFile } from './model-manifest.ts'

/** `dIn`: numbers in a raw vector; `dOut`: numbers in a vector. */
export interface Profile extends Projection {
  name: string
  version: number | string
}

/**
 * Loads the profile that a model folder's manifest names. Rejects with `data_corrupt` when the file
 * differs.
 */
export async function loadProfile(modelDir: string): Promise<Profile> {
  const manifest = await readManifestFile(modelDir)
  if (!manifest?.profile)
    throw appError('invalid_request', `${modelDir} has no manifest that names a profile`)
  const { name, version, file, sha256, dim, parts } = manifest.profile
  const bytes = await readFile(path.join(modelDir, file))
  const seen = sha256Hex(bytes)
  if (seen !== sha256)
    throw appError('data_corrupt', `${file} has sha256 ${seen}, its manifest says ${sha256}`)
  const form = { raw_dim: manifest.raw.dim, dim, parts }
  const values = littleEndianFloats(bytes)
  if (4 * values.length !== projectionBytes(form))
    throw appError(
      'data_corrupt',
      `${file} holds ${values.length} numbers, ${projectionBytes(form) / 4} were expected of its manifest`
    )
  return { name, version, ...splitProjection(values, form) }
}

/**
 * f32 [n, dIn] -> f32 [n, dOut], rows in stored form: each part has the length 1 / sqrt(number of
 * parts), so rows have unit length. Rejects with `dimension_mismatch` when `rawVectors` is not
 * whole rows.
 */
export const applyProfile = (
  rawVectors: Float32Array,
  profile: Projection
): Promise<Float32Array> => applyProjection(rawVectors, profile)

/** The same, scaled by the profile's weights: inner products are the scores of a search by default. */
export const applyWeighted = async (
  rawVectors: Float32Array,
  profile: Projection
): Promise<Float32Array> =>
  weighBothSides(await applyProjection(rawVectors, profile), profile.parts)

/** `model@version/profile@version`: vectors are comparable only where these are equal. */
export function embeddingVersion(
  model: Pick<ModelManifest, 'name' | 'version'>,
  profile: Pick<Profile, 'name' | 'version'>
): string {
  return `${model.name}@${model.version}/${profile.name}@${profile.version}`
}

/** The embedding that a model makes with a profile. */
export const embeddingOf = (
  model: Pick<ModelManifest, 'name' | 'version'>,
  profile: Profile
): EmbeddingSpec => ({
  version: embeddingVersion(model, profile),
  dim: profile.dOut,
  unit: true,
  ...partsOfEmbedding(profile.parts)
})

function littleEndianFloats(bytes: Uint8Array): Float32Array {
  const copy = new Uint8Array(bytes)
  return new Float32Array(copy.buffer, 0, copy.byteLength >> 2)
}
