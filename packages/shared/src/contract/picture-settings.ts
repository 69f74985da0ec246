// How a gallery picture becomes rows and how a query picture is looked at: settings of a collection, each usable alone. Built-in profiles are sets of them.
import { z } from 'zod'

const canvasSizes = z.array(z.number().int().min(32).max(1280).multipleOf(32)).max(8)
const classNames = z.array(z.string().min(1).max(40)).max(32)
const grids = z.array(z.number().int().min(2).max(8)).max(4)
const share = z.number().min(0).max(1)

/** Ground under transparency: white, dark grey, or whichever of them shows more of the picture. */
export const grounds = ['auto', 'white', 'dark'] as const
export type GroundName = (typeof grounds)[number]

/** Fixed at creation: rows depend on it. Queries follow it where both sides of a search must be alike. */
export const enrolmentSchema = z.object({
  /** Input sizes (pixels) at which the whole picture of a gallery item is enrolled, one row each; the whole picture of a query, too. */
  view_sizes: canvasSizes.default([224, 128]),
  /** Degrees: of a gallery picture a further view, turned by each of them. */
  view_turns: z.array(z.number().min(-180).max(180)).max(16).default([]),
  /** Of a gallery picture a further view, slanted by each of these parts of its height. */
  view_shears: z.array(z.number().min(-1).max(1)).max(8).default([]),
  /** Of a gallery picture four further views for each of these shares: what is left when a side is covered, seen from above, below, left and right. */
  view_parts: z.array(z.number().min(0.3).max(0.95)).max(4).default([]),
  /** Grounds that a transparent gallery picture is enrolled on, each a view of its own. */
  backgrounds: z.array(z.enum(grounds)).min(1).max(3).default(['auto']),
  /** Whether transparent borders are cut off first. */
  trim: z.boolean().default(false),
  /** Whether detected subjects become rows of a gallery item, beside the whole picture: all, the main one, or none. */
  subjects: z.union([z.boolean(), z.literal('main')]).default(true),
  /** Whether subjects, and the box of a query, are cut out and embedded at the view sizes, as whole pictures are, in place of their boxes in the run that found them. */
  second_pass: z.boolean().default(false),
  /** Subjects of other classes are passed over, unless it is empty; names that the model does not have match nothing. */
  classes: classNames.default([]),
  /** Subjects of these classes are passed over. */
  without_classes: classNames.default([])
})
export type Enrolment = z.infer<typeof enrolmentSchema>

/** Which boxes of a query picture are searched for. No row depends on it. */
export const lookSchema = z.object({
  /** Most subjects of a query; absent: the model's own. */
  max_objects: z.number().int().min(1).max(100).optional(),
  query_subjects: z.enum(['all', 'main']).default('all'),
  /** Whether the whole picture is searched for always, or only where no subject was found. */
  whole: z.enum(['always', 'fallback']).default('always'),
  /** n: n x n parts of the picture, half over each other, are searched for like subjects. */
  tiles: grids.default([]),
  /** n: subjects are looked for in n x n parts of the picture too, enlarged: a run of the model for each. */
  detect_tiles: grids.default([])
})
export type Look = z.infer<typeof lookSchema>

/** What is done with what was found. No row depends on it. */
export const answerSettingsSchema = z.object({
  /** Of recognised objects whose boxes overlap by more than this IoU only the one with the best hit is answered; absent: all. */
  nms_iou: share.optional(),
  /** Keys of metadata: hits that have the same value as the query are left out. */
  exclude_same: z.array(z.string().min(1).max(128)).max(16).default([]),
  /** Part of the mean score of the five nearest other labels that is taken off a hit's score before it is compared with `score_thres`; 0: none. */
  cohort_weight: share.default(0),
  /** true: hits are put in the order of their k-reciprocal distance (Zhong et al. 2017), computed among the best candidates. cells: in the order of what their boxes' parts have in common with the query's. */
  rerank: z.union([z.boolean(), z.literal('cells')]).default(false)
})
export type AnswerSettings = z.infer<typeof answerSettingsSchema>

export const builtInProfiles = ['general', 'product', 'vehicle', 'logo'] as const
export type BuiltInProfile = (typeof builtInProfiles)[number]
export const isBuiltInProfile = (name: string): name is BuiltInProfile =>
  builtInProfiles.some((known) => known === name)

type Preset = Partial<
  z.input<typeof enrolmentSchema> &
    z.input<typeof lookSchema> &
    z.input<typeof answerSettingsSchema>
>

/** What each sets; what it does not name is as in `general`, where nothing is set. */
export const presets: Record<BuiltInProfile, Preset> = {
  general: {},
  product: { subjects: true, without_classes: ['person'], nms_iou: 0.05 },
  vehicle: {
    subjects: 'main',
    classes: ['car', 'truck', 'bus', 'motorcycle', 'item'],
    second_pass: true,
    exclude_same: ['camera']
  },
  logo: {
    view_turns: [-45, -20, 20, 45],
    backgrounds: ['white', 'dark'],
    trim: true,
    second_pass: true,
    subjects: false,
    detect_tiles: [2],
    max_objects: 10,
    nms_iou: 0.05
  }
}
