// Schema of a gallery's yaml: the single source of the loader, of the table in
// docs/configuration.md and of docs/gallery.schema.json.
import { z } from 'zod'
import {
  collectionNameSchema,
  collectionSettingsSchema,
  givenSettingsSchema,
  indexMethods,
  metrics,
  searchBudgetSchema,
  storageSchema
} from '@likeness/shared/contract/collection'
import { collectionProfileSchema } from '@likeness/shared/contract/profile'
import { parseArithmetic } from './arithmetic.ts'

export const operations = ['new', 'append', 'remove'] as const

/** Documentation of a key. */
interface KeyMeta {
  description: string
  /** Values that editors offer. */
  examples?: readonly string[]
  /** Text of the table for an absent key; without this text the key is required. */
  absent?: string
}
const key = <T extends z.ZodType>(schema: T, meta: KeyMeta): T =>
  schema.meta({ ...meta, ...(meta.examples && { examples: [...meta.examples] }) })

const noNumber = (value: unknown): string => `a number is expected, not ${JSON.stringify(value)}`

/** Schema of a number, or of arithmetic as text. */
const number = (check: z.ZodNumber) =>
  z
    .union([z.number(), z.string()], { error: ({ input }) => noNumber(input) })
    .transform((value, ctx): number => {
      const parsed = typeof value === 'number' ? value : parseArithmetic(value)
      const checked = parsed === undefined ? undefined : check.safeParse(parsed)
      if (checked?.success) return checked.data
      ctx.addIssue({
        code: 'custom',
        message: checked === undefined ? noNumber(value) : checked.error.issues[0]!.message
      })
      return z.NEVER
    })
const whole = (min: number, max: number) => number(z.number().int().min(min).max(max))
const share = number(z.number().min(0).max(1))

const oneOf = <T extends string>(values: readonly T[]) =>
  z.string().transform((text, ctx): T => {
    const found = values.find((value) => value.toLowerCase() === text.toLowerCase())
    if (found !== undefined) return found
    ctx.addIssue({
      code: 'custom',
      message: `one of ${values.join(', ')}, not ${JSON.stringify(text)}`
    })
    return z.NEVER
  })
const path = z.string().min(1).max(4096)
const fieldName = z.string().min(1).max(128)

const indexProcess = z.strictObject({
  index_method: key(oneOf(indexMethods).optional(), {
    description: '`HNSW32`, `IVF` or `FLAT`, in any case',
    absent: '`HNSW32`',
    examples: indexMethods
  }),
  index_dir: key(path, {
    description:
      'names the gallery (its collection), and is where its record and an exported index are written'
  }),
  image_root: key(path, { description: 'folder of the pictures' }),
  data_file: key(path, {
    description:
      'lines `relative_path<delimiter>label[<delimiter>more]`; UTF-8; BOM, CRLF and blank lines are fine'
  }),
  delimiter: key(z.string().min(1).max(16).optional(), {
    description: 'separates the fields of a line',
    absent:
      'tab if every line has one, else the path is the longest prefix of the line that exists under `image_root`'
  }),
  index_operation: key(oneOf(operations).optional(), {
    description: '`new`, `append` (adds and replaces) or `remove` (by path)',
    examples: operations,
    absent: '`new`; a gallery that holds something is only wiped with `--force`'
  }),
  dist_type: key(oneOf(metrics).optional(), {
    description: '`IP`, `L2`, `cosine` or `hamming` (each value of a vector becomes a bit)',
    absent: '`IP`',
    examples: metrics
  }),
  embedding_size: key(whole(1, 65_536).optional(), {
    description: 'must be what the model makes',
    absent: "the model's"
  }),
  batch_size: key(whole(1, 1_000_000).optional(), {
    description:
      'read, and without effect: pictures are embedded one by one by as many processes as there are cores',
    absent: 'no effect'
  }),
  return_k: key(whole(1, 10_000).optional(), { description: 'hits per subject', absent: '5' }),
  score_thres: key(number(z.number().min(-1e6).max(1e6)).optional(), {
    description:
      'hits with a lower `score`, or `margin` with `Likeness.cohort_weight`, are not answered; nothing left is "unknown"',
    absent: 'none'
  }),
  hamming_radius: key(whole(0, 65_536).optional(), {
    description: 'with `hamming`: hits within so many bits, inclusive; the best `return_k` of them',
    absent: 'required for `hamming` unless `score_thres` is given'
  }),
  search_budget: key(number(searchBudgetSchema).optional(), {
    description: 'effort of a search: efSearch for `HNSW32`, nprobe for `IVF`',
    absent: 'max(64, 4 k) or max(8, sqrt(nlist))'
  })
})

const global = z.strictObject({
  threshold: key(share.optional(), {
    description: 'least score of a detected subject',
    absent: '0.2'
  }),
  max_det_results: key(whole(1, 100).optional(), {
    description: 'most subjects of a picture',
    absent: "5, or the profile's"
  }),
  rec_nms_thresold: key(share.optional(), {
    description:
      'of recognised subjects whose boxes overlap by more than this (IoU) the best one is answered',
    absent: "0.05, or the profile's"
  }),
  rec_nms_threshold: key(share.optional(), {
    description: 'the same, spelled right',
    absent: "0.05, or the profile's"
  })
})

const given = givenSettingsSchema.shape
const likeness = z.strictObject({
  collection: key(collectionNameSchema.optional(), {
    description: "the collection's name",
    absent: 'made from the path of `index_dir`'
  }),
  fields: key(z.array(fieldName).max(32).optional(), {
    description: 'names of the fields after the label; they become metadata',
    absent: '`field_2`, `field_3`, ...'
  }),
  exclude: key(given.exclude_same, {
    description: 'hits with the same value of such a field as the query are left out',
    absent: "none, or the profile's"
  }),
  profile: key(collectionProfileSchema.optional(), {
    description:
      '`general`, `product`, `vehicle` or `logo`: the keys below as they suit these; a profile of `likeness profile learn`, as NAME (its newest version) or NAME@VERSION; or both, as `vehicle/NAME`',
    absent: "`general`, with the model's own projection"
  }),
  subjects: key(given.subjects, {
    description:
      'which detected subjects of a gallery picture can be found, beside the whole of it: `true` (all), `main` (the one that the picture is of), `false`',
    absent: "`false`, or the profile's"
  }),
  second_pass: key(given.second_pass, {
    description:
      'subjects, and the box of a query, are cut out and embedded at `view_sizes`, as whole pictures are: a run of the model for each size',
    absent: "`false`, or the profile's"
  }),
  classes: key(given.classes, {
    description:
      'only subjects of these classes count, by the names that the model has; `[]` for all',
    absent: "`[]`, or the profile's"
  }),
  without_classes: key(given.without_classes, {
    description: 'subjects of these classes do not count',
    absent: "`[]`, or the profile's"
  }),
  view_sizes: key(given.view_sizes, {
    description: 'sizes in pixels at which a gallery picture is embedded',
    absent: "`[224, 128]`, or the profile's"
  }),
  view_turns: key(given.view_turns, {
    description: 'degrees: a further view of a gallery picture, turned by each',
    absent: "`[]`, or the profile's"
  }),
  view_shears: key(given.view_shears, {
    description:
      'a further view of a gallery picture, slanted by each of these parts of its height',
    absent: "`[]`, or the profile's"
  }),
  view_parts: key(given.view_parts, {
    description:
      'four further views of a gallery picture for each of these shares: what is left of it where a side is covered',
    absent: '`[]`'
  }),
  backgrounds: key(given.backgrounds, {
    description:
      'grounds that a transparent gallery picture is put on, a view each: `auto` (the one that shows more of it), `white`, `dark`',
    absent: "`[auto]`, or the profile's"
  }),
  trim: key(given.trim, {
    description: 'cuts transparent borders off first',
    absent: "`false`, or the profile's"
  }),
  query_subjects: key(given.query_subjects, {
    description: 'which subjects of a query are searched for: `all` or `main`',
    absent: "`all`, or the profile's"
  }),
  whole: key(given.whole, {
    description:
      'whether the whole picture of a query is searched for `always`, or as a `fallback` where no subject is found',
    absent: "`always`, or the profile's"
  }),
  tiles: key(given.tiles, {
    description: 'n: n x n overlapping parts of a query are searched for like subjects',
    absent: "`[]`, or the profile's"
  }),
  detect_tiles: key(given.detect_tiles, {
    description:
      'n: subjects of a query are looked for in n x n enlarged parts of it too; a run of the model for each',
    absent: "`[]`, or the profile's"
  }),
  cohort_weight: key(given.cohort_weight, {
    description:
      'part of the mean score of the five nearest other labels that is taken off a score before it is compared with `score_thres`: what is near many things by as much is a stranger',
    absent: '`0`'
  }),
  rerank: key(given.rerank, {
    description:
      'puts hits in the order of their k-reciprocal distances (`true`), or of what their parts have in common with those of the query (`cells`)',
    absent: "`false`, or the profile's"
  }),
  seal_threshold: key(number(collectionSettingsSchema.shape.seal_threshold.unwrap()).optional(), {
    description:
      'rows from which on a segment gets the index of `index_method`; smaller ones are exact',
    absent: '20000'
  }),
  storage: key(storageSchema.optional(), {
    description:
      'how sealed segments store vectors: `f32`, `f16`, `sq8` (a byte a value) or `pq<m>` (m bytes a vector; m divides its length)',
    absent: '`f32`',
    examples: ['f32', 'f16', 'sq8', 'pq64']
  }),
  rescore: key(z.boolean().optional(), {
    description:
      'with `f16`, `sq8` and `pq<m>`: scores come from the full vectors, which are kept on disk',
    absent: '`false`'
  }),
  hamming_threshold: key(
    number(collectionSettingsSchema.shape.hamming_threshold.unwrap()).optional(),
    { description: 'with `hamming`: a value above it is a 1', absent: '0, the sign' }
  )
})

/** Sections of the schema with a table each. */
export const sections = { IndexProcess: indexProcess, Global: global, Likeness: likeness } as const

/** Keys and sections of PaddleClas without meaning here: read, and named in a single warning. */
const withoutMeaning = {
  Global: [
    'infer_imgs',
    'det_inference_model_dir',
    'rec_inference_model_dir',
    'inference_model_dir',
    'image_shape',
    'labe_list',
    'label_list',
    'batch_size',
    'use_gpu',
    'use_xpu',
    'use_npu',
    'use_mlu',
    'enable_mkldnn',
    'cpu_num_threads',
    'enable_benchmark',
    'use_fp16',
    'use_int8',
    'ir_optim',
    'use_tensorrt',
    'gpu_mem',
    'enable_profile',
    'benchmark',
    'class_num',
    'device',
    'config'
  ],
  IndexProcess: ['index_image_shape', 'feature_normalize', 'nprobe', 'index_key'],
  '': [
    'DetPreProcess',
    'DetPostProcess',
    'RecPreProcess',
    'RecPostProcess',
    'PreProcess',
    'PostProcess',
    'AttrPreProcess',
    'Arch',
    'Infer',
    'DataLoader'
  ]
} as const
const ignored = <N extends string>(names: readonly N[]) =>
  Object.fromEntries(names.map((name) => [name, z.unknown().optional()])) as Record<
    N,
    z.ZodOptional<z.ZodUnknown>
  >

export const gallerySchema = z
  .strictObject({
    IndexProcess: indexProcess.extend(ignored(withoutMeaning.IndexProcess)),
    Global: global.extend(ignored(withoutMeaning.Global)).optional(),
    Likeness: likeness.optional(),
    ...ignored(withoutMeaning[''])
  })
  .superRefine(({ IndexProcess: index, Global: globals = {} as z.output<typeof global> }, ctx) => {
    const isHamming = index.dist_type === 'hamming'
    const fail = (where: string[], message: string): void =>
      ctx.addIssue({ code: 'custom', path: where, message })
    if (!isHamming && index.hamming_radius !== undefined)
      fail(
        ['IndexProcess', 'hamming_radius'],
        `belongs to dist_type hamming, and dist_type is ${index.dist_type ?? 'IP'}: remove one of them`
      )
    if (isHamming && index.hamming_radius === undefined && index.score_thres === undefined)
      fail(['IndexProcess', 'dist_type'], 'hamming needs hamming_radius or score_thres')
    const { rec_nms_thresold: asWritten, rec_nms_threshold: asMeant } = globals
    if (asWritten !== undefined && asMeant !== undefined && asWritten !== asMeant)
      fail(
        ['Global', 'rec_nms_threshold'],
        `is ${asMeant} and rec_nms_thresold is ${asWritten}: keep one of them`
      )
  })
export type GalleryFile = z.output<typeof gallerySchema>

/** Dotted names of the keys in a file that have no meaning here. */
export function namesWithoutMeaning(file: Record<string, unknown>): string[] {
  return Object.entries(withoutMeaning).flatMap(([section, names]) => {
    const within = section === '' ? file : file[section]
    if (typeof within !== 'object' || within === null) return []
    return names
      .filter((name) => (within as Record<string, unknown>)[name] !== undefined)
      .map((name) => (section === '' ? name : `${section}.${name}`))
  })
}

/** Every key that may stand at a place of the file, for the nearest name. */
export function namesAt(where: readonly PropertyKey[]): string[] {
  if (where.length === 0) return [...Object.keys(sections), ...withoutMeaning['']]
  const section = String(where[0]) as keyof typeof sections
  if (where.length > 1 || !Object.hasOwn(sections, section)) return []
  return [
    ...Object.keys(sections[section].shape),
    ...(section === 'Likeness' ? [] : withoutMeaning[section])
  ]
}
