import { expect, test } from 'vitest'
import type { StoredProfile } from '@likeness/shared/contract/profile'
import { createEmbeddings } from './embeddings.ts'
import { fakeModel } from './pool/fake-child.ts'

const parts = [
  { name: 'instance', dim: 1, weight: 1 },
  { name: 'kind', dim: 1, weight: 0.5 }
]
const learned = { version: 'fake@1/own@0123456789abcdef', dim: 2, unit: true }
const createWith = (profile: Partial<StoredProfile> | undefined) => {
  const stored =
    profile &&
    ({
      model: fakeModel.id,
      model_sha256: fakeModel.sha256,
      raw_dim: fakeModel.rawDim,
      dim: 2,
      ...profile
    } as StoredProfile)
  return createEmbeddings({ model: fakeModel, profiles: { ofEmbedding: async () => stored } })
}

test("a worker makes its model's own embedding, and the model's with a profile of the store", async () => {
  await createWith(undefined).check(fakeModel.embedding)
  await createWith({}).check(learned)
})

test.each([
  ['no profile of the store', undefined],
  ['of another model', { model: 'other@1' }],
  ['of another file of the model', { model_sha256: 'e'.repeat(64) }],
  ['for raw vectors of another length', { raw_dim: 4 }]
])(
  'an embedding that is %s is refused by name',
  async (_, profile: Partial<StoredProfile> | undefined) => {
    await expect(createWith(profile).check(learned)).rejects.toMatchObject({
      code: 'embedding_mismatch'
    })
  }
)

test('parts of another form are refused; weights, and a collection without parts, are not', async () => {
  const file = { name: 'own', version: '0123456789abcdef', model: fakeModel.id, dim: 2 }
  const made = createWith({
    ...file,
    parts: [
      { name: 'instance', raw: [0, 1], dim: 1, weight: 1 },
      { name: 'kind', raw: [1, 3], dim: 1, weight: 0.5 }
    ]
  })
  await made.check(learned)
  await made.check({ ...learned, parts })
  await made.check({ ...learned, parts: parts.map((part) => ({ ...part, weight: 1 })) })
  const other = { ...learned, parts: [parts[1]!, parts[0]!] }
  await expect(made.check(other)).rejects.toMatchObject({ code: 'embedding_mismatch' })
})
