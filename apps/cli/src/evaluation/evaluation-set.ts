// A labelled set as a gallery's yaml and query pictures: the same code path that a user's gallery
// takes.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { dataHome, fromCallersFolder } from '../config.ts'
import type { ExampleQuery } from '../examples/example-query.ts'
import { openFolder } from '../examples/folder-pictures.ts'
import { openLabelled } from '../examples/labelled-pictures.ts'
import { readLabels } from '../examples/labels-table.ts'
import { readDataList } from '../gallery-config/data-list.ts'
import { readListLines } from '../gallery-config/list-lines.ts'
import { type GalleryConfig, loadGalleryConfig } from '../gallery-config/load-gallery-config.ts'
import { UserError } from '../user-error.ts'
import { cameraOf } from './camera-of.ts'
import { type EvalOptions, labelsFile } from './eval-options.ts'

export interface EvaluationSet {
  config: GalleryConfig
  queries: ExampleQuery[]
  /** A query's own camera is left out of the gallery. */
  crossCamera: boolean
  /** Number of items of each label. */
  galleryCounts: Map<string, number>
  workDir: string
}

/** Number of requested hits: enough for a mean average precision. */
export const hitsAsked = 100

export async function openEvaluationSet(
  options: EvalOptions,
  {
    onProgress,
    say
  }: { onProgress: (done: number, total: number) => void; say: (text: string) => void }
): Promise<EvaluationSet> {
  const { folder, roles, data, index, subjects, profile, override } = options
  const name = sha256Hex(`${folder} ${roles.join()}`).slice(0, 8)
  const workDir = join(data === undefined ? dataHome() : fromCallersFolder(data), 'eval', name)
  await mkdir(workDir, { recursive: true })
  const labels = labelsFile(folder)
  const crossCamera =
    labels !== undefined &&
    (await readLabels(labels)).every(({ path }) => cameraOf(path) !== undefined)
  const fieldsOf = (path: string): string[] => (crossCamera ? [cameraOf(path)!] : [])
  const set =
    labels === undefined
      ? await openFolder(folder, { workDir, fields: [], say })
      : await openLabelled({ file: labels, roles, workDir, fieldsOf, onProgress, say })
  const asked = options.trueBoxes
    ? withBoxes(set.queries, folder)
    : set.queries.map(({ box: _, ...query }) => query)
  const queries = crossCamera
    ? asked.map((query) => ({ ...query, fields: { camera: cameraOf(query.name)! } }))
    : asked
  const yaml = join(workDir, 'eval.yaml')
  await writeFile(
    yaml,
    JSON.stringify({
      IndexProcess: {
        index_method: index,
        index_dir:
          profile === undefined ? `./${index}` : `./${index}-${profile.replace(/[@/]/g, '-')}`,
        image_root: set.imageRoot,
        data_file: set.dataFile,
        dist_type: 'IP',
        return_k: hitsAsked
      },
      Likeness: {
        ...(subjects && { subjects }),
        ...(profile !== undefined && { profile }),
        ...(crossCamera && { fields: ['camera'], exclude: ['camera'] })
      }
    })
  )
  const config = await loadGalleryConfig(yaml, { overrides: override })
  const galleryCounts = new Map<string, number>()
  for await (const { label } of readDataList(config))
    if (typeof label === 'string') galleryCounts.set(label, (galleryCounts.get(label) ?? 0) + 1)
  return { config, queries, crossCamera, galleryCounts, workDir }
}

/** UserError when no query has a box. */
export function withBoxes(queries: readonly ExampleQuery[], folder: string): ExampleQuery[] {
  const boxed = queries.filter(({ box }) => box !== undefined)
  if (boxed.length === 0)
    throw new UserError(`${folder}: no query has a box, --true-boxes asks with them`)
  return boxed
}

/** Writes a part of the gallery's list, spread over the list. */
export async function sampleList(
  { config, workDir }: EvaluationSet,
  count: number
): Promise<GalleryConfig> {
  const lines: string[] = []
  for await (const read of readListLines(config.dataFile)) if ('text' in read) lines.push(read.text)
  const step = Math.max(1, lines.length / count)
  const dataFile = join(workDir, 'sample.txt')
  await writeFile(
    dataFile,
    Array.from(
      { length: Math.min(count, lines.length) },
      (_, i) => `${lines[Math.floor(i * step)]}\n`
    ).join('')
  )
  return { ...config, dataFile }
}
