// Schema of a gallery's yaml: the single source of the loader, of the table in
// docs/configuration.md and of docs/gallery.schema.json.
import { z } from 'zod'
import { ignored, withoutMeaning } from './ignored-keys.ts'
import { global, indexProcess } from './index-process-keys.ts'
import { likeness } from './likeness-keys.ts'

/** Sections of the schema with a table each. */
export const sections = { IndexProcess: indexProcess, Global: global, Likeness: likeness } as const

const inIndex = indexProcess.extend(ignored(withoutMeaning.IndexProcess))
const around = {
  Global: global.extend(ignored(withoutMeaning.Global)).optional(),
  Likeness: likeness.optional(),
  ...ignored(withoutMeaning[''])
}

/** A file that has a list of pictures: for build, append and remove. */
export const gallerySchema = z
  .strictObject({ IndexProcess: inIndex, ...around })
  .superRefine(checkTogether)
/** The same file, where `index_dir` is enough: the gallery is there already. */
export const searchedGallerySchema = z
  .strictObject({
    IndexProcess: inIndex.partial({ image_root: true, data_file: true }),
    ...around
  })
  .superRefine(checkTogether)
export type SearchedGalleryFile = z.output<typeof searchedGallerySchema>

interface Together {
  IndexProcess: Pick<z.output<typeof indexProcess>, 'dist_type' | 'hamming_radius' | 'score_thres'>
  Global?: z.output<typeof global>
}

function checkTogether(
  { IndexProcess: index, Global: globals = {} }: Together,
  ctx: z.RefinementCtx
): void {
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
