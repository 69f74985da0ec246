// Copies a model's folder with another projection.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { appError } from '@likeness/shared/errors'
import { readManifestFile } from '../model/model-manifest.ts'
import { embeddingOfEntry } from '../model/profile.ts'
import { semanticFiles } from '../semantic/semantic-model.ts'
import type { LearnedProfile } from './learn-profile.ts'
import { manifestName } from './new-folder.ts'

/**
 * `target` must not exist. The copy has another embedding: the projection's name holds a part of
 * its hash.
 */
export async function relearnModel({
  modelDir,
  target,
  learned
}: {
  modelDir: string
  target: string
  learned: LearnedProfile
}): Promise<void> {
  const manifest = await readManifestFile(modelDir)
  if (manifest === undefined) throw appError('invalid_request', `${modelDir} has no manifest.json`)
  const { profile, file } = learned
  const whole = JSON.parse(await readFile(path.join(modelDir, manifestName), 'utf8')) as Record<
    string,
    unknown
  >
  await mkdir(target, { recursive: true })
  for (const name of [manifest.file, ...semanticFiles(manifest.semantic)])
    await copyFile(path.join(modelDir, name), path.join(target, name))
  await writeFile(path.join(target, profile.file), file)
  const embedding = embeddingOfEntry(manifest, profile)
  await writeFile(
    path.join(target, manifestName),
    `${JSON.stringify({ ...whole, profile, embedding, learned: learned.learned }, null, 1)}\n`
  )
}
