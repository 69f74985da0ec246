// Loads a gallery's yaml, checked and completed: absolute paths, all defaults, every problem with
// its line.
import { dirname, resolve } from 'node:path'
import type { core, ZodType } from 'zod'
import type { IndexMethod, Metric } from '@likeness/shared/contract/collection'
import {
  type AnswerSettings,
  answerSettingsSchema,
  type Enrolment,
  enrolmentSchema,
  type Look,
  lookSchema
} from '@likeness/shared/contract/picture-settings'
import type { CollectionProfile } from '@likeness/shared/contract/profile'
import type { VectorStorage } from '@likeness/shared/contract/storage-forms'
import { nearestName } from '@likeness/shared/data/nearest-name'
import { UserError } from '../user-error.ts'
import { collectionNameOf } from './collection-name.ts'
import {
  gallerySchema,
  namesAt,
  type SearchedGalleryFile,
  searchedGallerySchema
} from './gallery-schema.ts'
import { namesWithoutMeaning } from './ignored-keys.ts'
import { formerKeys, type operations } from './index-process-keys.ts'
import { applyOverrides } from './overrides.ts'
import { readYamlFile, type YamlFile } from './yaml-file.ts'

export type PictureSettings = Partial<Enrolment & Look & AnswerSettings>
const pictureSettingNames = Object.keys({
  ...enrolmentSchema.shape,
  ...lookSchema.shape,
  ...answerSettingsSchema.shape
}) as (keyof PictureSettings)[]

/** A gallery that can be searched and exported. */
export interface SearchedGallery {
  file: string
  folder: string
  collection: string
  indexDir: string
  delimiter: string | undefined
  operation: (typeof operations)[number] | undefined
  indexMethod: IndexMethod
  metric: Metric
  embeddingSize: number | undefined
  returnK: number
  scoreThres: number | undefined
  hammingRadius: number | undefined
  searchBudget: number | undefined
  detectorThreshold: number
  /** Names of the fields after the label. */
  fields: string[]
  profile: CollectionProfile
  /** Given settings of pictures and answers. The built-in profile supplies the others. */
  pictures: PictureSettings
  sealThreshold: number | undefined
  storage: VectorStorage
  rescore: boolean
  hammingThreshold: number | undefined
  /** Shown once. Warnings are not errors. */
  warnings: string[]
}

/** A gallery with its list of pictures. */
export interface GalleryConfig extends SearchedGallery {
  imageRoot: string
  dataFile: string
}

export const batchSizeNote =
  'batch_size has no effect here: pictures are embedded one by one, by as many processes as there are cores'

interface LoadOptions {
  overrides: readonly string[]
}

/** UserError with a line for each problem. */
export async function loadGalleryConfig(
  file: string,
  options: LoadOptions
): Promise<GalleryConfig> {
  const { IndexProcess: index, ...rest } = await loadFile(file, gallerySchema, options)
  return {
    ...completeGallery(file, { IndexProcess: index, ...rest }),
    imageRoot: resolve(dirname(file), index.image_root),
    dataFile: resolve(dirname(file), index.data_file)
  }
}

/** Does the same for commands that read no list: `image_root` and `data_file` may be absent. */
export async function loadSearchedGallery(
  file: string,
  options: LoadOptions
): Promise<SearchedGallery & { imageRoot: string | undefined }> {
  const loaded = await loadFile(file, searchedGallerySchema, options)
  const { image_root: imageRoot } = loaded.IndexProcess
  return {
    ...completeGallery(file, loaded),
    imageRoot: imageRoot === undefined ? undefined : resolve(dirname(file), imageRoot)
  }
}

async function loadFile<T>(
  file: string,
  schema: ZodType<T>,
  { overrides }: LoadOptions
): Promise<T> {
  const yaml = await readYamlFile(file)
  const values = withoutNone(yaml.values) as Record<string, unknown>
  const given = applyOverrides(values, overrides)
  const parsed = schema.safeParse(withoutNone(values))
  if (parsed.success) return parsed.data
  throw new UserError(
    parsed.error.issues.flatMap((issue) => describe(issue, { yaml, given })).join('\n')
  )
}

/** Removes null and "None", which Python writes for an absent value. */
function withoutNone(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNone)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) =>
      part === null || part === 'None' ? [] : [[name, withoutNone(part)]]
    )
  )
}

interface Places {
  yaml: YamlFile
  given: Map<string, string>
}

function describe(issue: core.$ZodIssue, { yaml, given }: Places): string[] {
  const place = (path: readonly PropertyKey[], atKey = false): string =>
    given.get(path.map(String).join('.')) ?? yaml.place(path, { atKey })
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => {
      const former = issue.path.join() === 'IndexProcess' ? formerKeys.get(name) : undefined
      if (former !== undefined)
        return `${place([...issue.path, name], true)}: IndexProcess.${name} ${former}`
      const near = nearestName(name, namesAt(issue.path))
      const full = [...issue.path, name]
      return `${place(full, true)}: ${full.map(String).join('.')} is not known${near === undefined ? '' : `, did you mean ${near}?`}`
    })
  }
  const name = issue.path.map(String).join('.')
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined
  return [`${place(issue.path)}: ${name} ${isMissing ? 'is missing' : phrase(issue)}`]
}

const phrase = (issue: core.$ZodIssue): string => {
  const message = issue.message.replace(/^Invalid input: /, '')
  return /^(is|belongs|needs) /.test(message) || /^hamming needs/.test(message)
    ? message
    : `: ${message}`.replace(/^: /, 'is not right: ')
}

/**
 * The settings of PP-ShiTu, where no built-in profile is named: only whole gallery pictures can be
 * found.
 */
const asPpShitu: PictureSettings = { subjects: false, max_objects: 5, nms_iou: 0.05 }

function pictureSettings({
  Global: globals = {},
  Likeness: own = {}
}: Pick<SearchedGalleryFile, 'Global' | 'Likeness'>): PictureSettings {
  const {
    max_det_results: maxObjects,
    rec_nms_thresold: asWritten,
    rec_nms_threshold: asMeant
  } = globals
  const given: PictureSettings = {
    ...own,
    max_objects: maxObjects,
    nms_iou: asWritten ?? asMeant,
    exclude_same: own.exclude
  }
  const absent: PictureSettings = own.profile?.builtIn === undefined ? asPpShitu : {}
  const entries = pictureSettingNames.map((name) => [name, given[name] ?? absent[name]])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** Returns the gallery with all defaults; paths start at the folder of `file`. */
export function completeGallery(
  file: string,
  { IndexProcess: index, Global: globals = {}, Likeness: own = {}, ...rest }: SearchedGalleryFile
): SearchedGallery {
  const folder = dirname(file)
  const indexDir = resolve(folder, index.index_dir)
  const unused = namesWithoutMeaning({ IndexProcess: index, Global: globals, ...rest })
  return {
    file,
    folder,
    collection: own.collection ?? collectionNameOf(indexDir),
    indexDir,
    delimiter: index.delimiter,
    operation: index.index_operation,
    indexMethod: index.index_method ?? 'HNSW32',
    metric: index.dist_type ?? 'IP',
    embeddingSize: index.embedding_size,
    returnK: index.return_k ?? 5,
    scoreThres: index.score_thres,
    hammingRadius: index.hamming_radius,
    searchBudget: index.search_budget,
    detectorThreshold: globals.threshold ?? 0.2,
    fields: own.fields ?? [],
    profile: own.profile ?? {},
    pictures: pictureSettings({ Global: globals, Likeness: own }),
    sealThreshold: own.seal_threshold,
    storage: own.storage ?? 'f32',
    rescore: own.rescore ?? false,
    hammingThreshold: own.hamming_threshold,
    warnings: [
      ...(unused.length > 0
        ? [`${file}: these keys of PaddleClas have no meaning here: ${unused.join(', ')}`]
        : []),
      ...(index.batch_size !== undefined ? [`${file}: ${batchSizeNote}`] : [])
    ]
  }
}
