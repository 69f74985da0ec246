// Reads what the files beside a detector of the DETR family say: pictures, classes, scores.
import path from 'node:path'
import type { DetectorFacts } from '../model/surgery.ts'
import { readPreprocessing } from './read-preprocessing.ts'
import { isObject, readJsonObject } from './read-small-file.ts'

/** transformers' models with a softmax over their classes and one for no thing. */
const withNoThing = new Set(['detr', 'table-transformer', 'yolos'])
/** Those with a sigmoid for each class. */
const withSigmoid = /^(rt_detr|d_fine|rf_detr|lw_detr|deformable_detr|conditional_detr|deta)/
const [mostClasses, mostName] = [10_000, 200]

/** Rejects with `invalid_request` for a file that is damaged. */
export async function readDetectorFacts(folders: readonly string[]): Promise<DetectorFacts> {
  const told = await readPreprocessing(folders)
  for (const folder of folders) {
    // A config.json may be of any program.
    const config = await readJsonObject(path.join(folder, 'config.json')).catch(() => undefined)
    const { id2label: labels, model_type: type } = config ?? {}
    if (!isObject(labels) || typeof type !== 'string') continue
    return {
      ...pictureFacts(told),
      classes: readNames(labels),
      ...(withNoThing.has(type) && { hasNoThing: true }),
      ...(withSigmoid.test(type) && { hasNoThing: false })
    }
  }
  return pictureFacts(told)
}

function pictureFacts(told: Awaited<ReturnType<typeof readPreprocessing>>): DetectorFacts {
  if (told === undefined) return {}
  return {
    size: told.size,
    normalisation: told.normalisation,
    keepsRatio: told.shortestEdge !== undefined
  }
}

function readNames(labels: Record<string, unknown>): string[] {
  const names: string[] = []
  for (const [id, name] of Object.entries(labels).slice(0, mostClasses))
    if (/^\d{1,4}$/.test(id)) names[Number(id)] = String(name).slice(0, mostName)
  return Array.from(names, (name, id) => name ?? `class ${id}`)
}
