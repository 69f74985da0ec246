// The stack that a set is measured in: the one that runs, or one of its own with the model that was named.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createEmbedder, learnProfile, prepareModel, relearnModel } from '@likeness/vision'
import type { Reference } from '@likeness/vision'
import type { ApiClient } from '../api-client.ts'
import type { CommandContext } from '../command.ts'
import { dataHome, fromCallersFolder, modelDirFromEnvironment } from '../config.ts'
import { connect } from '../connect/connect.ts'
import { createRandom, shuffled } from '../drawing/seeded-random.ts'
import { readDataList } from '../gallery-config/data-list.ts'
import { builtInDir } from '../model/model-folders.ts'
import { mostPictures, shrinkPicture } from '../model/learning-references.ts'
import { createProgress } from '../progress.ts'
import type { EvalOptions } from './eval-options.ts'
import type { EvaluationSet } from './evaluation-set.ts'

const seed = 21
/** Fewer labels than these say too little of what tells things apart: then each picture is a thing of its own. */
const fewestLabels = 110

export async function connectForEvaluation(options: EvalOptions, set: EvaluationSet, context: CommandContext): Promise<ApiClient> {
  const importRoots = [set.config.imageRoot]
  const { modelDir: named, learnsProfile, api, data } = options
  if (named === undefined && !learnsProfile) return connect(context, { ...(api !== undefined && { api }), ...(data !== undefined && { data }), importRoots })
  const chosen = named ?? modelDirFromEnvironment() ?? builtInDir
  const modelDir = learnsProfile ? await learnFromGallery(chosen, set, context) : chosen
  const home = join(data === undefined ? dataHome() : fromCallersFolder(data), 'eval', `stack-${createHash('sha256').update(modelDir).digest('hex').slice(0, 8)}`)
  return connect(context, { data: home, importRoots, modelDir })
}

async function learnFromGallery(modelDir: string, set: EvaluationSet, context: CommandContext): Promise<string> {
  const target = join(set.workDir, `${basename(modelDir)}-learned`)
  if (existsSync(target)) await rm(target, { recursive: true })
  const model = await prepareModel({ modelDir, cacheDir: join(set.workDir, 'prepared') })
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  try {
    const progress = createProgress({ label: 'learning ', unit: 'canvases' }, context)
    const references = await galleryReferences(set)
    const learned = await learnProfile({ embedder, references, from: "things of the set's gallery", name: 'gallery', random: createRandom(seed), onProgress: (done, total) => progress.show(done, total) })
    progress.done()
    context.say(`projection: ${learned.learned.text}`)
    await relearnModel({ modelDir, target, learned })
    return target
  } finally {
    await embedder.close()
  }
}

async function galleryReferences({ config }: EvaluationSet): Promise<Reference[]> {
  const byLabel = new Map<string, string[]>()
  for await (const { path, label } of readDataList(config)) byLabel.set(label ?? path, [...(byLabel.get(label ?? path) ?? []), path])
  const groups = byLabel.size >= fewestLabels ? [...byLabel.values()] : [...byLabel.values()].flat().map((path) => [path])
  const references: Reference[] = []
  for (const paths of shuffled(groups, createRandom(seed)).slice(0, mostPictures)) {
    references.push(await Promise.all(paths.slice(0, 6).map(async (path) => shrinkPicture(await readFile(join(config.imageRoot, path))))))
  }
  return references
}
