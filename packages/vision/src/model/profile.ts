// A profile: the versioned linear projection that turns raw vectors into a collection's vectors,
// outside the graph.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { linearTransform } from '@likeness/faiss'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import { type ModelManifest, readManifestFile } from './model-manifest.ts'

export interface Profile {
  name: string
  version: number | string
  /** Numbers in a raw vector. */
  dIn: number
  /** Numbers in a vector. */
  dOut: number
  /** f32 [dOut, dIn], row-major. */
  matrix: Float32Array
  /** f32 [dOut]. */
  bias: Float32Array
}

/**
 * Loads the profile that a model folder's manifest names. Rejects with `data_corrupt` when the file
 * differs.
 */
export async function loadProfile(modelDir: string): Promise<Profile> {
  const manifest = await readManifestFile(modelDir)
  if (!manifest?.profile)
    throw appError('invalid_request', `${modelDir} has no manifest that names a profile`)
  const { name, version, file, sha256, dim } = manifest.profile
  const bytes = await readFile(path.join(modelDir, file))
  const seen = sha256Hex(bytes)
  if (seen !== sha256)
    throw appError('data_corrupt', `${file} has sha256 ${seen}, its manifest says ${sha256}`)
  const dIn = manifest.raw.dim
  const values = littleEndianFloats(bytes)
  if (values.length !== dim * (dIn + 1))
    throw appError(
      'data_corrupt',
      `${file} holds ${values.length} numbers, ${dim} x (${dIn} + 1) were expected`
    )
  return {
    name,
    version,
    dIn,
    dOut: dim,
    matrix: values.subarray(0, dim * dIn),
    bias: values.subarray(dim * dIn)
  }
}

/**
 * f32 [n, dIn] -> f32 [n, dOut], rows of unit length. Rejects with `dimension_mismatch` when
 * `rawVectors` is not whole rows.
 */
export async function applyProfile(
  rawVectors: Float32Array,
  profile: Profile
): Promise<Float32Array> {
  const { dIn, dOut, matrix, bias } = profile
  if (rawVectors.length % dIn)
    throw appError('dimension_mismatch', `${rawVectors.length} numbers are not rows of ${dIn}`)
  if (!rawVectors.length) return new Float32Array(0)
  return linearTransform(rawVectors, { matrix, bias, dIn, dOut, normalize: true })
}

/** `model@version/profile@version`: vectors are comparable only where these are equal. */
export function embeddingVersion(
  model: Pick<ModelManifest, 'name' | 'version'>,
  profile: Pick<Profile, 'name' | 'version'>
): string {
  return `${model.name}@${model.version}/${profile.name}@${profile.version}`
}

function littleEndianFloats(bytes: Uint8Array): Float32Array {
  const copy = new Uint8Array(bytes)
  return new Float32Array(copy.buffer, 0, copy.byteLength >> 2)
}
