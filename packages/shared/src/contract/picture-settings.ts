// Settings that say how a gallery picture becomes rows and how a query picture is searched. Each is
// usable alone. Built-in profiles are sets of them.
import { z } from 'zod'
import { weightsSchema } from './embedding-parts.ts'
import { maxObjects } from './limits.ts'

const canvasSizes = z.array(z.number().int().min(32).max(1280).multipleOf(32)).max(8)
const classNames = z.array(z.string().min(1).max(40)).max(32)
const grids = z.array(z.number().int().min(2).max(8)).max(4)
const share = z.number().min(0).max(1)

/**
 * Background under transparency: white, dark grey, or (auto) the one that shows more of the
 * picture.
 */
export const grounds = ['auto', 'white', 'dark'] as const
export type GroundName = (typeof grounds)[number]

/**
 * Fixed at creation, because rows depend on these settings. Queries follow them where both sides of
 * a search must be alike.
 */
export const enrolmentSchema = z.object({
  /**
   * Input sizes (pixels) at which the whole picture of a gallery item is enrolled, one row each.
   * The whole picture of a query uses them too.
   */
  view_sizes: canvasSizes.default([224, 128]),
  /** Degrees. Each adds a view of the gallery picture, turned by that angle. */
  view_turns: z.array(z.number().min(-180).max(180)).max(16).default([]),
  /**
   * Parts of the picture's height. Each adds a view of the gallery picture, slanted by that part.
   */
  view_shears: z.array(z.number().min(-1).max(1)).max(8).default([]),
  /**
   * Shares. Each adds four views of the gallery picture: the part that is left when a side is
   * covered, seen from above, below, left and right.
   */
  view_parts: z.array(z.number().min(0.3).max(0.95)).max(4).default([]),
  /** Backgrounds that a transparent gallery picture is enrolled on, each as a view of its own. */
  backgrounds: z.array(z.enum(grounds)).min(1).max(3).default(['auto']),
  /** Whether transparent borders are cut off first. */
  trim: z.boolean().default(false),
  /**
   * Whether detected subjects become rows of a gallery item, beside the whole picture: all, only
   * the main one, or no subject.
   */
  subjects: z
    .union([z.boolean(), z.literal('main')], { error: 'one of true, false and "main"' })
    .default(true),
  /**
   * Whether subjects, and the box of a query, are cut out and embedded at the view sizes, like
   * whole pictures. Otherwise their boxes in the run that found them are used.
   */
  second_pass: z.boolean().default(false),
  /**
   * Classes of the subjects that count. Empty: all classes count. The api refuses a name that the
   * model does not have; of a built-in profile, such names match no subject.
   */
  classes: classNames.default([]),
  /** Subjects of these classes are skipped. */
  without_classes: classNames.default([])
})
export type Enrolment = z.infer<typeof enrolmentSchema>

/** Settings that choose the boxes of a query picture to search for. Rows do not depend on them. */
export const lookSchema = z.object({
  /** Most subjects of a query. Absent: the model's own. */
  max_objects: z.number().int().min(1).max(maxObjects).optional(),
  /** none: no subject is looked for, so the whole picture is searched for alone. */
  query_subjects: z.enum(['all', 'main', 'none']).default('all'),
  /**
   * Whether the whole picture is always searched for, or only where no subject was found. mean:
   * each subject is searched for by the mean of its vector and that of the whole picture, and the
   * whole picture alone where no subject was found.
   */
  whole: z.enum(['always', 'fallback', 'mean']).default('always'),
  /**
   * Shares of the sides. For each share the middle of the whole picture, of each subject and of a
   * given box is embedded too, and a query is the mean of these vectors and its own.
   */
  query_views: z.array(z.number().min(0.3).max(0.95)).max(2).default([]),
  /**
   * n: the query also searches for n x n parts of the picture, which overlap by half, like
   * subjects.
   */
  tiles: grids.default([]),
  /**
   * n: subjects are also detected in n x n enlarged parts of the picture. Each part takes a run of
   * the model.
   */
  detect_tiles: grids.default([])
})
export type Look = z.infer<typeof lookSchema>

/** Most runs of the model for a query picture, where the settings decide on them. */
export function queryRuns(
  { second_pass: again, view_sizes: sizes }: Enrolment,
  { max_objects: most = 0, query_views: views, query_subjects: which, detect_tiles: tiles }: Look
): number {
  const perBox = Math.max(1, sizes.length) * (1 + views.length)
  const ofSubjects = again ? most * perBox : 1 + views.length
  const ofTiles = tiles.reduce((sum, grid) => sum + grid * grid, 0)
  return perBox + (which === 'none' ? 0 : ofSubjects + ofTiles)
}

/** Settings for the treatment of hits. Rows do not depend on them. */
export const answerSettingsSchema = z.object({
  /**
   * Among recognised objects whose boxes overlap by more than this IoU only the object with the
   * best hit is answered. Absent: all are answered.
   */
  nms_iou: share.optional(),
  /** Keys of metadata. Hits with the same value as the query are left out. */
  exclude_same: z.array(z.string().min(1).max(128)).max(16).default([]),
  /**
   * Part of the mean score of the five nearest other labels that is subtracted from a hit's score
   * before the comparison with `score_thres`. 0: no part.
   */
  cohort_weight: share.default(0),
  /**
   * true: hits are ordered by their k-reciprocal distance (Zhong et al. 2017), computed among the
   * best candidates. cells: hits are ordered by how much the parts of their boxes and those of the
   * query have in common.
   */
  rerank: z
    .union([z.boolean(), z.literal('cells')], { error: 'one of true, false and "cells"' })
    .default(false),
  /**
   * Weights of the parts of the embedding, by name. Absent, and for parts that are not named: the
   * weights of the embedding. A built-in profile may name parts that only other models have; such
   * names have no effect.
   */
  weights: weightsSchema.optional()
})
export type AnswerSettings = z.infer<typeof answerSettingsSchema>

/**
 * Settings with which a model sees best, from its manifest. Collections made with it begin with
 * them; a built-in profile and the settings of a request stand above.
 */
export const modelSettingsSchema = z.strictObject({
  view_sizes: enrolmentSchema.shape.view_sizes.unwrap().optional(),
  subjects: enrolmentSchema.shape.subjects.unwrap().optional(),
  second_pass: enrolmentSchema.shape.second_pass.unwrap().optional(),
  max_objects: lookSchema.shape.max_objects
})
export type ModelSettings = z.infer<typeof modelSettingsSchema>

export const builtInProfiles = ['general', 'product', 'vehicle', 'logo'] as const
export type BuiltInProfile = (typeof builtInProfiles)[number]
export const isBuiltInProfile = (name: string): name is BuiltInProfile =>
  builtInProfiles.some((known) => known === name)

type Preset = Partial<
  z.input<typeof enrolmentSchema> &
    z.input<typeof lookSchema> &
    z.input<typeof answerSettingsSchema>
>

/**
 * Settings of each built-in profile. Settings that a profile does not name are those of `general`,
 * which sets no value.
 */
export const presets: Record<BuiltInProfile, Preset> = {
  general: {},
  product: { subjects: true, without_classes: ['person'], nms_iou: 0.05 },
  vehicle: {
    subjects: 'main',
    classes: ['car', 'truck', 'bus', 'motorcycle', 'item'],
    second_pass: true,
    exclude_same: ['camera'],
    weights: { kind: 0.5 }
  },
  logo: {
    // The side of a box that the built-in model's trunk sees: larger ones cost more and show no more.
    view_sizes: [224],
    view_turns: [-45, -20, 20, 45],
    backgrounds: ['white', 'dark'],
    trim: true,
    second_pass: true,
    subjects: false,
    detect_tiles: [2],
    max_objects: 10,
    nms_iou: 0.05,
    // A mark is the same drawing, not the same kind of thing.
    weights: { kind: 0.2 }
  }
}
