import path from 'node:path'
import { expect, it } from 'vitest'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { writeTinyModel } from '../fixture/tiny-model.ts'
import { prepareModel } from '../model/model-prepare.ts'
import { embeddingVersion, loadProfile } from '../model/profile.ts'
import { relearnModel } from './relearn-model.ts'

it('a copy with another projection runs the same model under another embedding', async () => {
  const dir = temporaryFolder('relearn')
  const [modelDir, target] = [path.join(dir, 'tiny'), path.join(dir, 'own')]
  await writeTinyModel(modelDir)
  const file = new Uint8Array(Float32Array.from({ length: 8 * 145 }, (_, i) => i / 1000).buffer)
  const sha256 = sha256Hex(file)
  const learned = {
    from: 'noise',
    references: 60,
    heldOut: 10,
    recallRaw: 0.5,
    recallProjected: 0.6,
    text: ''
  }
  await relearnModel({
    modelDir,
    target,
    learned: {
      profile: { name: 'own-1', version: 1, file: 'own-1.profile.f32', sha256, dim: 8 },
      file,
      learned
    }
  })
  const [before, after] = await Promise.all(
    [modelDir, target].map(async (one) => ({
      model: await prepareModel({ modelDir: one, cacheDir: dir }),
      profile: await loadProfile(one)
    }))
  )
  expect(after!.model.manifest).toEqual(before!.model.manifest)
  expect(after!.profile).toMatchObject({ name: 'own-1', dOut: 8, dIn: 144 })
  expect(
    [before!, after!].map(({ model, profile }) => embeddingVersion(model.manifest, profile))
  ).toEqual(['tiny@1.0.0/tiny@1', 'tiny@1.0.0/own-1@1'])
})
