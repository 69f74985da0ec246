// Imported models: a folder each below `models` of the data folder. The built-in model lies in the
// repository.
import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '@likeness/shared/errors'
import type { ImportedManifest, QuantizedEntry } from '@likeness/vision'
import { dataHome, fromCallersFolder, modelDirFromEnvironment } from '../config.ts'
import { repositoryRoot } from '../stack/app-process.ts'
import { UserError } from '../user-error.ts'

export const builtInName = 'likeness-nano'
export const builtInDir = `${repositoryRoot}models/${builtInName}`

export const modelsDirOf = (data: string | undefined): string =>
  join(data === undefined ? dataHome() : fromCallersFolder(data), 'models')

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** UserError for a name that is not a plain folder name, or is the built-in model's. */
export function checkModelName(name: string): string {
  if (!namePattern.test(name))
    throw new UserError(`--name ${name}: letters, digits, dots, dashes and underscores, at most 64`)
  if (name === builtInName) throw new UserError(`--name ${name}: this is the built-in model`)
  return name
}

/** Finds the folder of a model by name or by path. UserError when there is no such model. */
export function findModelDir(name: string, data: string | undefined): string {
  if (name === builtInName) return builtInDir
  const places = [
    ...(namePattern.test(name) ? [join(modelsDirOf(data), name)] : []),
    fromCallersFolder(name)
  ]
  const found = places.find((place) => existsSync(join(place, 'manifest.json')))
  if (found === undefined)
    throw new UserError(
      `there is no model ${name}: \`likeness model list\` shows those there are, \`likeness model import FILE.onnx\` makes one`
    )
  return found
}

/** Folder that `--model` or MODEL_DIR names; undefined: the built-in model. */
export const chosenModelDir = (
  model: string | undefined,
  data: string | undefined
): string | undefined =>
  model === undefined ? modelDirFromEnvironment() : findModelDir(model, data)

/**
 * Manifest fields of every model. The built-in model lacks the fields that an import or quantising
 * adds.
 */
export type ShownManifest = Pick<
  ImportedManifest,
  'name' | 'version' | 'file' | 'licence' | 'layout' | 'sizeBytes' | 'raw' | 'classes' | 'profile'
> &
  Partial<ImportedManifest> & { quantized?: QuantizedEntry }

/** UserError for a manifest that cannot be read. */
export async function readShownManifest(dir: string): Promise<ShownManifest> {
  const file = join(dir, 'manifest.json')
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ShownManifest
  } catch (error) {
    throw new UserError(`${file} cannot be read (${messageOf(error)}): import the model again`)
  }
}

/** Names, the built-in model first. */
export async function listModels(
  data: string | undefined
): Promise<{ name: string; dir: string }[]> {
  const dir = modelsDirOf(data)
  const entries = existsSync(dir) ? await readdir(dir, { withFileTypes: true }) : []
  const names = entries
    .filter(
      (entry) =>
        entry.isDirectory() &&
        existsSync(join(dir, entry.name, 'manifest.json')) &&
        !entry.name.startsWith('.')
    )
    .map(({ name }) => name)
  return [
    { name: builtInName, dir: builtInDir },
    ...names.sort().map((name) => ({ name, dir: join(dir, name) }))
  ]
}

/** UserError for the built-in model and for a model that is not below the data folder. */
export async function removeModel(name: string, data: string | undefined): Promise<void> {
  const dir = join(modelsDirOf(data), checkModelName(name))
  if (!existsSync(join(dir, 'manifest.json')))
    throw new UserError(`there is no model ${name} in ${modelsDirOf(data)}`)
  await rm(dir, { recursive: true })
}
