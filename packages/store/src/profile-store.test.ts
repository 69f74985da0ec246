import { expect, test } from 'vitest'
import { profileKeys } from '@likeness/shared/contract/keys'
import {
  embeddingOfProfile,
  profileSchema,
  profileVersionOf,
  type StoredProfile
} from '@likeness/shared/contract/profile'
import {
  joinProjection,
  type ProfilePart,
  profilePartsSchema,
  wholeProjection
} from '@likeness/shared/contract/projection'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createMemoryStore } from './memory-store.ts'
import { createProfileStore } from './profile-store.ts'

function profileOf(
  name: string,
  first: number,
  day: number
): { profile: StoredProfile; projection: Uint8Array } {
  const projection = new Uint8Array(Float32Array.of(first, 0, 0, 1, 0.5, -0.5).buffer)
  const sha256 = sha256Hex(projection)
  const learned = {
    from: 'a folder',
    by: 'views' as const,
    judged_by: 'views' as const,
    pictures: 100,
    held_out: 20,
    before: 'm@1/own@1',
    r1_raw: 0.5,
    r1_before: 0.6,
    r1_after: 0.7
  }
  return {
    projection,
    profile: {
      name,
      version: profileVersionOf({ sha256 }),
      model: 'm@1',
      model_sha256: 'a'.repeat(64),
      raw_dim: 2,
      dim: 2,
      sha256,
      learned,
      created_at: `2026-01-0${day}T00:00:00.000Z`
    }
  }
}

test('the newest version is what a name means, earlier ones are found by their version, and the same one again is there once', async () => {
  const profiles = createProfileStore({ store: createMemoryStore() })
  const [first, second, other] = [
    profileOf('cars', 1, 1),
    profileOf('cars', 2, 2),
    profileOf('cars-at-night', 3, 3)
  ]
  for (const { profile, projection } of [first, second, other])
    await profiles.save(profile, projection)
  expect(await profiles.resolve('cars')).toEqual(second.profile)
  expect(await profiles.resolve(`cars@${first.profile.version}`)).toEqual(first.profile)
  expect((await profiles.list()).map(({ name }) => name)).toEqual(['cars-at-night', 'cars', 'cars'])
  await profiles.save(
    { ...first.profile, created_at: '2026-01-04T00:00:00.000Z' },
    first.projection
  )
  expect(await profiles.list('cars')).toHaveLength(2)
  expect((await profiles.resolve('cars')).version).toBe(first.profile.version)
  await expect(profiles.resolve('bikes')).rejects.toMatchObject({ code: 'profile_not_found' })
  await expect(profiles.resolve(`cars@${'0'.repeat(16)}`)).rejects.toMatchObject({
    code: 'profile_not_found'
  })
})

test('an embedding leads to its profile only when model, version and form agree', async () => {
  const profiles = createProfileStore({ store: createMemoryStore() })
  const { profile, projection } = profileOf('cars', 1, 1)
  const embedding = embeddingOfProfile(profile)
  expect(embedding).toEqual({ version: `m@1/cars@${profile.version}`, dim: 2, unit: true })
  expect(await profiles.ofEmbedding(embedding)).toBeUndefined()
  await profiles.save(profile, projection)
  expect(await profiles.ofEmbedding(embedding)).toEqual(profile)
  for (const other of [
    { ...embedding, dim: 3 },
    { ...embedding, unit: false },
    ...[`m@2/cars@${profile.version}`, 'm@1/cars@1', 'm@1/../x@0123456789abcdef', 'm@1', ''].map(
      (version) => ({ ...embedding, version })
    )
  ]) {
    expect(await profiles.ofEmbedding(other)).toBeUndefined()
  }
})

test('bytes that are not the projection that is described are refused, and found when they are damaged later', async () => {
  const store = createMemoryStore()
  const profiles = createProfileStore({ store })
  const { profile, projection } = profileOf('cars', 1, 1)
  const damaged = projection.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
  for (const wrong of [projection.subarray(4), damaged])
    await expect(profiles.save(profile, wrong)).rejects.toMatchObject({ code: 'invalid_request' })
  const { profile: withNaN, projection: noNumber } = profileOf('cars', NaN, 1)
  await expect(profiles.save(withNaN, noNumber)).rejects.toThrow('no number')
  expect(await profiles.list()).toEqual([])
  await profiles.save(profile, projection)
  expect(await profiles.readProjection(profile)).toEqual(
    wholeProjection({
      dIn: 2,
      dOut: 2,
      matrix: Float32Array.of(1, 0, 0, 1),
      bias: Float32Array.of(0.5, -0.5)
    })
  )
  await store.put(profileKeys('cars', profile.version).projection, damaged)
  await expect(profiles.readProjection(profile)).rejects.toMatchObject({ code: 'data_corrupt' })
})

test('a profile of parts keeps them, its version names them too, and an embedding carries their weights', async () => {
  const profiles = createProfileStore({ store: createMemoryStore() })
  const { profile: whole } = profileOf('cars', 1, 1)
  const file = Float32Array.of(2, 0.5, 3, 4, -0.5)
  const projection = new Uint8Array(file.buffer)
  const parts: StoredProfile['parts'] = [
    { name: 'instance', raw: [0, 1], dim: 1, weight: 1 },
    { name: 'kind', raw: [1, 3], dim: 1, weight: 0.35 }
  ]
  const sha256 = sha256Hex(projection)
  const version = profileVersionOf({ sha256, parts })
  const profile = profileSchema.parse({ ...whole, version, raw_dim: 3, dim: 2, sha256, parts })
  await profiles.save(profile, projection)
  expect(await profiles.resolve('cars')).toEqual(profile)
  const embedding = embeddingOfProfile(profile)
  expect(embedding.parts).toEqual([
    { name: 'instance', dim: 1, weight: 1 },
    { name: 'kind', dim: 1, weight: 0.35 }
  ])
  expect(await profiles.ofEmbedding(embedding)).toEqual(profile)
  const read = await profiles.readProjection(profile)
  expect(read.parts.map(({ matrix, bias }) => [...matrix, ...bias])).toEqual([
    [2, 0.5],
    [3, 4, -0.5]
  ])
  expect(joinProjection(read)).toEqual(file)
  const heavier = parts.map((part) => ({ ...part, weight: 1 }))
  expect(profileVersionOf({ sha256, parts: heavier })).not.toBe(version)
  await expect(profiles.save(profile, projection.subarray(4))).rejects.toThrow(
    '1 x (1 + 1) + 1 x (2 + 1) numbers have 20'
  )
})

test.each<[string, Partial<StoredProfile>]>([
  ['with other numbers than the vector', { dim: 3 }],
  ['beyond the raw vector', { raw_dim: 2 }]
])('a description of parts %s is refused', (_, change) => {
  const { profile } = profileOf('cars', 1, 1)
  const parts = [
    { name: 'instance', raw: [0, 1], dim: 1, weight: 1 },
    { name: 'kind', raw: [1, 3], dim: 1, weight: 0 }
  ]
  const good = { ...profile, raw_dim: 3, parts }
  expect(profileSchema.safeParse(good).success).toBe(true)
  expect(profileSchema.safeParse({ ...good, ...change }).success).toBe(false)
})

test.each<[string, Partial<ProfilePart>]>([
  ['overlap', { raw: [0, 3] }],
  ['have one name', { name: 'instance' }],
  ['end before they begin', { raw: [3, 3] }],
  ['weigh less than nothing', { weight: -1 }]
])('parts that %s are refused', (_, change) => {
  const parts = [
    { name: 'instance', raw: [0, 1], dim: 1, weight: 1 },
    { name: 'kind', raw: [1, 3], dim: 1, weight: 1 }
  ]
  expect(profilePartsSchema.safeParse(parts).success).toBe(true)
  expect(profilePartsSchema.safeParse([parts[0], { ...parts[1], ...change }]).success).toBe(false)
})
