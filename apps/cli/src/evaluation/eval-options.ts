// The arguments of `likeness eval`, checked.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type IndexMethod, indexMethods } from '@likeness/shared/contract/collection'
import { type CollectionProfile, collectionProfileSchema } from '@likeness/shared/contract/profile'
import {
  connectOptions,
  connectUsage,
  existing,
  parseCommand,
  parseShare
} from '../command-options.ts'
import { fromCallersFolder } from '../config.ts'
import { findModelDir } from '../model/model-folders.ts'
import { UserError } from '../user-error.ts'
import { weightsOverride } from '../weights-option.ts'

export const evalUsage = `likeness eval DIR [options]      measures how well a set of labelled pictures is recognised
  DIR holds labels.csv (path,label,role,bbox_xyxy,extra; roles gallery, gallery_iconic, query; label none: in no gallery),
  or gallery.txt and queries.txt (path<TAB>label), or sub-folders as labels, every fourth picture of which is asked
  --detect           measures the boxes of pictures instead: \`likeness eval --detect --help\`
  --model NAME       in a stack of its own with this model (default: the stack that runs, else one with the built-in model)
  --profile P        general, product, vehicle or logo; NAME: one of \`likeness profile learn\` in the stack; gallery: learns the model's
                     projection from the set's gallery pictures, never from its queries; two together: vehicle/NAME, logo/gallery
  -o A.B=v           a value of the gallery's yaml, as Likeness.tiles=[2]; may be given several times
  --weights P=n,...  weights of the parts of the embedding: kind=0.5,instance=1
  --index METHOD     ${indexMethods.join(', ')} (default FLAT: exact)
  --subjects         boxes found in gallery pictures are enrolled, too, not only the pictures
  --true-boxes       queries are asked with the box of their line, those without one not at all: what detection costs is the difference
  --roles A,B        which lines of labels.csv (default gallery,query)
  --score-thres X    hits below it are not shown, and count as wrong (default: none; auto: chosen from gallery pictures)
  --false-accept R   the threshold at which at most R of the gallery's own pictures, each without its label in the gallery, would be answered
  --no-strangers     queries are not asked a second time without their label, which tells how strangers are judged
  --sheet FILE       an HTML page of the queries that were answered wrongly; FILE.svg: how sure answers were, and how often right
  --min-r1 X         exit code 1 when R@1 is below it
  --json             last line: {"queries":n,"r1":x,"r5":x,"map":x,"falseAccept":x,"falseReject":x,"ece":x,"msPerQuery":x}
${connectUsage}`

export interface EvalOptions {
  folder: string
  /** Folder of the model; undefined: the model of the running stack, else the built-in model. */
  modelDir: string | undefined
  learnsProfile: boolean
  /** Profile without the projection that is learned from the gallery. */
  profile: string | undefined
  override: string[]
  /** Also enrols boxes that are found in gallery pictures. */
  subjects: boolean
  trueBoxes: boolean
  /** Asks each query a second time, without its labels in the gallery. */
  asksStrangers: boolean
  index: IndexMethod
  roles: string[]
  scoreThres: number | 'auto' | undefined
  /** Fraction of strangers that may be answered; the threshold is chosen for this rate. */
  falseAccept: number | undefined
  sheet: string | undefined
  minR1: number | undefined
  json: boolean
  api: string | undefined
  data: string | undefined
}

export function parseEvalOptions(args: readonly string[]): EvalOptions {
  const { values, positionals } = parseCommand(args, {
    options: {
      ...connectOptions,
      model: { type: 'string' },
      profile: { type: 'string' },
      index: { type: 'string', default: 'FLAT' },
      subjects: { type: 'boolean', default: false },
      'true-boxes': { type: 'boolean', default: false },
      roles: { type: 'string', default: 'gallery,query' },
      'score-thres': { type: 'string' },
      'false-accept': { type: 'string' },
      sheet: { type: 'string' },
      'no-strangers': { type: 'boolean', default: false },
      'min-r1': { type: 'string' },
      json: { type: 'boolean', default: false },
      weights: { type: 'string' },
      override: { type: 'string', short: 'o', multiple: true, default: [] }
    },
    usage: evalUsage,
    positionals: true
  })
  const [folder, ...more] = positionals
  if (folder === undefined || more.length > 0)
    throw new UserError(`one folder is expected\n${evalUsage}`)
  const { model, index, api, data, json, override } = values
  const { profile, builtIn, learned, learnsProfile } = readProfile(values.profile)
  if ((model !== undefined || learnsProfile) && api !== undefined)
    throw new UserError(
      '--model and --profile gallery are for a stack that is started here, --api names one that runs'
    )
  if (model !== undefined && learned !== undefined && !learnsProfile)
    throw new UserError(
      `--profile ${profile} lies in the stack that runs, --model starts another: give one of them`
    )
  if (values['score-thres'] !== undefined && values['false-accept'] !== undefined)
    throw new UserError('--score-thres or --false-accept: one of them')
  const method = indexMethods.find((known) => known === index.toUpperCase())
  if (method === undefined)
    throw new UserError(`--index ${index}: one of ${indexMethods.join(', ')}`)
  return {
    folder: existing(folder, 'folder'),
    learnsProfile,
    profile: learnsProfile ? builtIn : profile,
    override: [...override, ...weightsOverride(values.weights)],
    modelDir: model === undefined ? undefined : findModelDir(model, data),
    index: method,
    subjects: values.subjects,
    trueBoxes: values['true-boxes'],
    asksStrangers: !values['no-strangers'],
    json,
    api,
    data,
    roles: values.roles.split(',').map((role) => role.trim()),
    scoreThres:
      values['score-thres'] === 'auto'
        ? 'auto'
        : parseShare('--score-thres', values['score-thres']),
    falseAccept: parseShare('--false-accept', values['false-accept']),
    minR1: parseShare('--min-r1', values['min-r1']),
    sheet: values.sheet === undefined ? undefined : fromCallersFolder(values.sheet)
  }
}

function readProfile(
  profile: string | undefined
): CollectionProfile & { profile?: string; learnsProfile: boolean } {
  if (profile === undefined) return { learnsProfile: false }
  const parsed = collectionProfileSchema.safeParse(profile)
  if (!parsed.success)
    throw new UserError(
      `--profile ${profile}: ${parsed.error.issues[0]!.message}; gallery, or as logo/gallery, to learn one`
    )
  return { profile, ...parsed.data, learnsProfile: parsed.data.learned === 'gallery' }
}

export const labelsFile = (folder: string): string | undefined => {
  const file = join(folder, 'labels.csv')
  return existsSync(file) ? file : undefined
}
