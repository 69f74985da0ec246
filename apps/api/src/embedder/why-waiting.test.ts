import { expect, test } from 'vitest'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { StoredProfile } from '@likeness/shared/contract/profile'
import type { EmbedderAddress } from '@likeness/shared/contract/work'
import { whyWaiting } from './why-waiting.ts'

const embeddingOf = (version: string): EmbeddingSpec => ({ version, dim: 2, unit: true })
const embedder = (version: string, modelSha256: string | undefined = 'ab'): EmbedderAddress => ({
  workerId: version,
  url: 'http://127.0.0.1:1',
  embedding: embeddingOf(version),
  modelSha256,
  provider: 'cpu',
  atMs: 0
})
/** An embed server whose program knows no routes. */
const oldEmbedder = (version: string): EmbedderAddress => ({
  ...embedder(version),
  modelSha256: undefined
})
const learned = 'm@1/cars@0123456789abcdef'
const profiles = {
  ofEmbedding: async ({ version }: { version: string }) =>
    version === learned ? ({ model: 'm@1', model_sha256: 'ab' } as StoredProfile) : undefined
}
const why = (embedders: EmbedderAddress[], version: string) =>
  whyWaiting({ embedder: { known: () => embedders }, profiles }, { awaits: embeddingOf(version) })

test('nothing waits where somebody makes the embedding, or nothing is to be embedded', async () => {
  expect(await why([embedder('n@1/p@1'), embedder('m@1/p@1')], 'm@1/p@1')).toBe(null)
  expect(await why([embedder('m@1/p@1')], learned)).toBe(null)
  expect(await whyWaiting({ embedder: { known: () => [] }, profiles }, { awaits: null })).toBe(null)
})

test('who makes something else is named, and what is wanted', async () => {
  expect(await why([embedder('m@2/p@1'), embedder('n@1/p@1')], 'm@1/p@1')).toEqual({
    code: 'embedding_mismatch',
    collection_embedding: 'm@1/p@1',
    embedder_embeddings: ['m@2/p@1', 'n@1/p@1'],
    detail: expect.stringMatching(
      /m@1\/p@1 \(2\).*m@2\/p@1 \(2\), n@1\/p@1 \(2\).*are kept.*MODEL_DIR/
    ) as string
  })
  // The other projection of the same model, a profile that is not stored, and a profile that was
  // learned with another file of this name.
  for (const [embedders, version] of [
    [[embedder('m@1/p@1')], 'm@1/q@1'],
    [[embedder('m@1/p@1')], 'm@1/boats@0123456789abcdef'],
    [[embedder('m@1/p@1', 'cd')], learned]
  ] as const) {
    expect(await why([...embedders], version)).toMatchObject({ code: 'embedding_mismatch' })
  }
})

test('no worker is another reason, and one of an older program does not count', async () => {
  expect(await why([], 'm@1/p@1')).toMatchObject({
    code: 'embedder_unavailable',
    embedder_embeddings: [],
    detail: expect.stringMatching(/^no embed-worker is running:.*m@1\/p@1/) as string
  })
  expect(await why([oldEmbedder('m@1/p@1')], 'm@1/p@1')).toMatchObject({
    code: 'embedder_unavailable',
    detail: expect.stringContaining('older version of the program') as string
  })
  expect(await why([oldEmbedder('m@1/p@1'), embedder('m@2/p@1')], 'm@1/p@1')).toMatchObject({
    code: 'embedding_mismatch',
    embedder_embeddings: ['m@2/p@1']
  })
})
