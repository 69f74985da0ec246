// The arguments of `likeness eval --detect`, checked.
import { maxObjects } from '@likeness/shared/contract/limits'
import { lookSchema } from '@likeness/shared/contract/picture-settings'
import { existing, parseCommand, parseCount, parseShare } from '../command-options.ts'
import { chosenModelDir, builtInDir } from '../model/model-folders.ts'
import { UserError } from '../user-error.ts'

export const detectUsage = `likeness eval --detect DIR [options]     measures how many things of pictures with known boxes the model finds
  DIR holds labels.csv with bbox_xyxy (a line for each thing), or a YOLO data set (images/..., labels/...)
  --model NAME       this model (default: $MODEL_DIR, else the built-in model)
  --max-objects N    most boxes of a picture (default: the model's own, 5)
  --tiles N,M        things are looked for in N x N (and M x M) enlarged parts too, as \`detect_tiles\` does; a run for each
  --threshold X      lowest score of a box (default: the model's own)
  --min-recall X     exit code 1 when the recall of things over 5 % of their picture (where none is that large: of all) is below it
  --data DIR         data folder of the models (default $LIKENESS_HOME, else .likeness in the repository)
  --json             last line: {"pictures":n,"things":n,"recall":x,"recallOver2":x,"recallOver5":x,"largestFound":x,"bestBoxReal":x,
                     "msPerPicture":x}`

export interface DetectOptions {
  folder: string
  modelDir: string
  maxObjects: number | undefined
  confidence: number | undefined
  tiles: number[]
  minRecall: number | undefined
  json: boolean
  data: string | undefined
}

export function parseDetectOptions(args: readonly string[]): DetectOptions {
  const { values, positionals } = parseCommand(args, {
    options: {
      detect: { type: 'boolean' },
      data: { type: 'string' },
      model: { type: 'string' },
      'max-objects': { type: 'string' },
      threshold: { type: 'string' },
      tiles: { type: 'string' },
      'min-recall': { type: 'string' },
      json: { type: 'boolean', default: false }
    },
    usage: detectUsage,
    positionals: true
  })
  const [folder, ...more] = positionals
  if (folder === undefined || more.length > 0)
    throw new UserError(`one folder is expected\n${detectUsage}`)
  const { model, data, json } = values
  return {
    folder: existing(folder, 'folder'),
    modelDir: chosenModelDir(model, data) ?? builtInDir,
    maxObjects: parseCount('--max-objects', values['max-objects'], [1, maxObjects]),
    confidence: parseShare('--threshold', values.threshold),
    tiles: parseTiles(values.tiles),
    minRecall: parseShare('--min-recall', values['min-recall']),
    json,
    data
  }
}

function parseTiles(text: string | undefined): number[] {
  if (text === undefined) return []
  const { data } = lookSchema.shape.detect_tiles.safeParse(text.split(',').map(Number))
  if (data === undefined)
    throw new UserError(`--tiles ${text}: up to 4 numbers from 2 to 8, as 2,4`)
  return data
}
