// `likeness model import|quantize|list|show|remove|bench`: detectors that also give vectors.
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isAppError, messageOf } from '@likeness/shared/errors'
import { existing, HelpAsked, parseCommand, parseCount, required } from '../command-options.ts'
import type { Command, CommandContext } from '../command.ts'
import { fromCallersFolder } from '../config.ts'
import { UserError } from '../user-error.ts'
import {
  type EmbedderValues,
  embedderOptions,
  embedderUsage,
  parseEmbedder
} from './embedder-options.ts'
import { formatModel, formatModels } from './format-model.ts'
import {
  builtInDir,
  builtInName,
  checkModelName,
  findModelDir,
  listModels,
  modelsDirOf,
  readShownManifest,
  removeModel
} from './model-folders.ts'

const modelUsage = `likeness model import FILE.onnx [options]   makes a model of an exported detector (Ultralytics v5 to 26, YOLOX, RT-DETR, D-FINE,
                   RF-DETR), or of the folder of a download from a hub
  --name N         what it is called (default: the file's name)
  --pictures DIR   learns its projection from these pictures, each of another thing; at least 120 (default: from drawn ones)
${embedderUsage}
likeness model quantize NAME --pictures DIR [options]   makes a faster model of it, in int8, if it finds as much
  --name N         what it is called (default: NAME-int8)
  --pictures DIR   its ranges are taken from some of these pictures and both models compared on others; at least 120
likeness model list                          shows the models there are
likeness model show NAME [--json]            what is known of one
likeness model remove NAME                   takes an imported one away
likeness model bench NAME [--runs N]         milliseconds a picture, one thread
  --data DIR       data folder (default $LIKENESS_HOME, else .likeness in the repository)
\`likeness up --model NAME\` runs a stack with it.`

const options = {
  ...embedderOptions,
  data: { type: 'string' },
  name: { type: 'string' },
  pictures: { type: 'string' },
  runs: { type: 'string' },
  json: { type: 'boolean', default: false }
} as const

interface Given {
  data: string | undefined
  name: string | undefined
  pictures: string | undefined
  runs: string | undefined
  json: boolean
  embedder: EmbedderValues
}
type Action = (operand: string, given: Given, context: CommandContext) => Promise<number>

const actions: Record<string, { run: Action; operand?: string }> = {
  import: { run: importFile, operand: 'FILE.onnx' },
  quantize: { run: quantize, operand: 'NAME --pictures DIR' },
  list: { run: list },
  show: { run: show, operand: 'NAME' },
  remove: { run: remove, operand: 'NAME' },
  bench: { run: bench, operand: 'NAME' }
}

export const runModel: Command = async (args, context) => {
  const { values, positionals } = parseCommand(args, {
    options,
    usage: modelUsage,
    positionals: true
  })
  const [name = '', operand, ...more] = positionals
  if (name === '') throw new HelpAsked(modelUsage)
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (action === undefined) throw new UserError(`there is no \`model ${name}\`\n${modelUsage}`)
  if (more.length > 0 || (operand === undefined) !== (action.operand === undefined))
    throw new UserError(`likeness model ${name} ${action.operand ?? ''}\n${modelUsage}`)
  return action.run(
    operand ?? '',
    {
      ...values,
      data: values.data,
      name: values.name,
      pictures: values.pictures,
      runs: values.runs,
      embedder: Object.fromEntries(
        Object.keys(embedderOptions).map((key) => [key, values[key as keyof EmbedderValues]])
      )
    },
    context
  )
}

async function importFile(file: string, given: Given, context: CommandContext): Promise<number> {
  const { data, name, pictures, json } = given
  const onnxPath = await detectorFile(file, given)
  await context.prepare()
  const semantic = await parseEmbedder(given.embedder)
  const folder = pictures === undefined ? undefined : fromCallersFolder(pictures)
  if (folder !== undefined && !existsSync(folder))
    throw new UserError(`--pictures ${pictures}: there is no such folder`)
  const { importExport } = await import('./import-export.ts')
  try {
    const manifest = await importExport(
      { onnxPath, name, pictures: folder, modelsDir: modelsDirOf(data), semantic },
      context
    )
    context.print(
      json
        ? JSON.stringify(manifest)
        : `${manifest.name} can be used: likeness up --model ${manifest.name}`
    )
    return 0
  } catch (error) {
    throw asUserError(`${file} cannot be imported`, error)
  }
}

/** Most failures are those of a file, and say their step. So a stack would help no one. */
const asUserError = (what: string, error: unknown): UserError =>
  error instanceof UserError ? error : new UserError(`${what}: ${messageOf(error)}`)

/** Returns the given export or folder, or, to add an embedder, the file of the built-in model. */
async function detectorFile(file: string, { embedder, name }: Given): Promise<string> {
  if (file === builtInName && embedder.embedder !== undefined) {
    if (name === undefined)
      throw new UserError(`--name is needed: what ${builtInName} with this embedder is called`)
    return join(builtInDir, (await readShownManifest(builtInDir)).file)
  }
  const path = fromCallersFolder(file)
  if (!existsSync(path)) throw new UserError(`${file}: there is no such file or folder`)
  return path
}

/**
 * Quantises a model. The loss is printed and decides the exit code: 1 when the float model is
 * better.
 */
async function quantize(
  source: string,
  { data, name, pictures, json }: Given,
  context: CommandContext
): Promise<number> {
  const modelDir = findModelDir(source, data)
  const request = {
    modelDir,
    name: checkModelName(name ?? `${basename(modelDir)}-int8`),
    pictures: existing(required(pictures, '--pictures', modelUsage), 'folder', '--pictures '),
    modelsDir: modelsDirOf(data)
  }
  await context.prepare()
  const { quantizeByPictures } = await import('./quantize-by-pictures.ts')
  try {
    const quantized = await quantizeByPictures(request, context)
    context.print(
      json
        ? JSON.stringify({ kept: true, name: request.name, ...quantized })
        : `${request.name} can be used: likeness up --model ${request.name}`
    )
    return 0
  } catch (error) {
    if (!isAppError(error, 'quality_lost') && !isAppError(error, 'not_faster'))
      throw asUserError(`${source} cannot be quantised`, error)
    context.say(`no model is kept (${error.code}): ${error.message}`)
    if (json)
      context.print(
        JSON.stringify({ kept: false, code: error.code, reason: error.message, ...error.detail })
      )
    return 1
  }
}

async function list(_: string, { data, json }: Given, { print }: CommandContext): Promise<number> {
  const models = await Promise.all(
    (await listModels(data)).map(({ dir }) => readShownManifest(dir))
  )
  print(
    json
      ? JSON.stringify(
          models.map(({ name, version, profile }) => ({ name, version, dim: profile?.dim }))
        )
      : formatModels(models)
  )
  return 0
}

async function show(
  name: string,
  { data, json }: Given,
  { print }: CommandContext
): Promise<number> {
  const manifest = await readShownManifest(findModelDir(name, data))
  print(json ? JSON.stringify(manifest) : formatModel(manifest))
  return 0
}

async function remove(name: string, { data }: Given, { print }: CommandContext): Promise<number> {
  await removeModel(name, data)
  print(
    `${name} is removed; collections made with it can still be searched with vectors, but take no pictures`
  )
  return 0
}

async function bench(
  name: string,
  { data, runs, json }: Given,
  { prepare, print }: CommandContext
): Promise<number> {
  const modelDir = findModelDir(name, data)
  const count = parseCount('--runs', runs, [1, 10_000]) ?? 30
  await prepare()
  const { createEmbedder, measureRun, prepareModel } = await import('@likeness/vision')
  const model = await prepareModel({ modelDir, cacheDir: join(modelsDirOf(data), '.prepared') })
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  try {
    const msPerPicture = Number((await measureRun(embedder, count)).toFixed(2))
    const { width, height } = model.manifest.inputSize
    print(
      json
        ? JSON.stringify({
            name,
            width,
            height,
            runs: count,
            msPerPicture,
            provider: embedder.provider
          })
        : `${name} at ${width}x${height}: ${msPerPicture} ms a picture (median of ${count}, one thread, ${embedder.provider})`
    )
    return 0
  } finally {
    await embedder.close()
  }
}
