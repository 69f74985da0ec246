// Options of `likeness model import` about the embedder beside the detector.
import { existsSync } from 'node:fs'
import type { GivenEmbedder, Normalisation } from '@likeness/vision'
import { fromCallersFolder } from '../config.ts'
import { UserError } from '../user-error.ts'

export const embedderOptions = {
  embedder: { type: 'string' },
  'embedder-file': { type: 'string' },
  'embedder-input': { type: 'string' },
  'embedder-size': { type: 'string' },
  'embedder-pool': { type: 'string' },
  'embedder-whole': { type: 'string' },
  kind: { type: 'string' }
} as const

export const embedderUsage = `  --embedder X     an ordinary image embedder (classifier without its last layer, DINOv2, SigLIP, CLIP ...) that sees each box, too:
                   an .onnx file, or the folder of a download from a hub; FILE.onnx may then be likeness-nano, the built-in model
  --embedder-file F   which file of that folder, for example model_fp16.onnx
  --embedder-input X  what it was trained on, where no file of the folder says so: imagenet (default), clip, half (-1..1), unit (0..1)
                   or bytes (0..255)
  --embedder-size N   its pictures are N x N (or WIDTHxHEIGHT) pixels, where graph and files leave that open
  --embedder-pool X   vector from tokens: cls, mean or cls+mean (default: cls where there is a class token)
  --embedder-whole X  a whole picture is stretched like a box (stretch, default), or its middle is seen as in training (crop)
  --kind X         both (default): vectors of detector and embedder together; semantic: of the embedder alone`

/** Parsed values of `embedderOptions`. */
export type EmbedderValues = { [name in keyof typeof embedderOptions]?: string | undefined }

const wholes = ['stretch', 'crop'] as const
const [leastSide, mostSide] = [8, 4096]

/** undefined without an embedder. UserError for values that no embedder has. */
export async function parseEmbedder(values: EmbedderValues): Promise<GivenEmbedder | undefined> {
  const { embedder, kind = 'both' } = values
  if (embedder === undefined) {
    const alone = Object.entries(values).find(([, value]) => value !== undefined)
    if (alone !== undefined) throw new UserError(`--${alone[0]} needs --embedder`)
    return undefined
  }
  const path = fromCallersFolder(embedder)
  if (!existsSync(path)) throw new UserError(`${embedder}: there is no such file or folder`)
  const { normalisations, semanticKinds, tokenPools } = await import('@likeness/vision')
  const inputs = Object.keys(normalisations) as Normalisation[]
  return {
    path,
    file: values['embedder-file'],
    kind: oneOf('--kind', kind, semanticKinds)!,
    normalisation: oneOf('--embedder-input', values['embedder-input'], inputs),
    size: parseSize(values['embedder-size']),
    pool: oneOf('--embedder-pool', values['embedder-pool'], tokenPools),
    whole: oneOf('--embedder-whole', values['embedder-whole'], wholes)
  }
}

function oneOf<T extends string>(
  option: string,
  value: string | undefined,
  known: readonly T[]
): T | undefined {
  const found = known.find((one) => one === value)
  if (found === undefined && value !== undefined)
    throw new UserError(`${option} ${value}: ${known.join(', ')}`)
  return found
}

function parseSize(text: string | undefined): { width: number; height: number } | undefined {
  if (text === undefined) return undefined
  const [, width, height = width] = /^(\d{1,4})(?:x(\d{1,4}))?$/.exec(text) ?? []
  const size = { width: Number(width), height: Number(height) }
  if (!Object.values(size).every((side) => side >= leastSide && side <= mostSide))
    throw new UserError(
      `--embedder-size ${text}: pixels from ${leastSide} to ${mostSide}, as N or WIDTHxHEIGHT`
    )
  return size
}
