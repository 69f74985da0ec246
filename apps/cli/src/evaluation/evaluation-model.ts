// The stack for the measurement of a set: the running stack, or a separate stack with the named
// model.
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { relearnModel, toLearnedProfile } from '@likeness/vision'
import type { ApiClient } from '../api/api-client.ts'
import type { CommandContext } from '../command.ts'
import { dataHome, fromCallersFolder, modelDirFromEnvironment } from '../config.ts'
import { connect } from '../connect/connect.ts'
import { readDataList } from '../gallery-config/data-list.ts'
import { builtInDir } from '../model/model-folders.ts'
import { choosePictures, type SourcePicture } from '../profile/gallery-references.ts'
import { tryProfile } from '../profile/try-profile.ts'
import type { EvalOptions } from './eval-options.ts'
import type { EvaluationSet } from './evaluation-set.ts'

export async function connectForEvaluation(
  options: EvalOptions,
  set: EvaluationSet,
  context: CommandContext
): Promise<ApiClient> {
  const importRoots = [set.config.imageRoot]
  const { modelDir: named, learnsProfile, api, data } = options
  if (named === undefined && !learnsProfile)
    return connect(context, {
      ...(api !== undefined && { api }),
      ...(data !== undefined && { data }),
      importRoots
    })
  const chosen = named ?? modelDirFromEnvironment() ?? builtInDir
  const modelDir = learnsProfile ? await learnFromGallery(chosen, set, context) : chosen
  const home = join(
    data === undefined ? dataHome() : fromCallersFolder(data),
    'eval',
    `stack-${sha256Hex(modelDir).slice(0, 8)}`
  )
  return connect(context, { data: home, importRoots, modelDir })
}

/**
 * Returns a copy of the model's folder with the learned projection, or the unchanged model where no
 * projection is clearly better.
 */
async function learnFromGallery(
  modelDir: string,
  set: EvaluationSet,
  context: CommandContext
): Promise<string> {
  const target = join(set.workDir, `${basename(modelDir)}-learned`)
  if (existsSync(target)) await rm(target, { recursive: true })
  const pictures: SourcePicture[] = []
  for await (const { path, label } of readDataList(set.config))
    pictures.push({
      name: path,
      label: typeof label === 'string' ? label : null,
      read: () => readFile(join(set.config.imageRoot, path))
    })
  const { trial } = await tryProfile(
    { pictures: choosePictures(pictures), modelDir, cacheDir: join(set.workDir, 'prepared') },
    context
  )
  const learned = toLearnedProfile(trial, {
    from: "pictures of the set's gallery",
    name: 'gallery'
  })
  context.say(`projection: ${learned.learned.text}`)
  if (!trial.isBetter) {
    context.say("projection: not clearly better than the model's own, which is used")
    return modelDir
  }
  await relearnModel({ modelDir, target, learned })
  return target
}
