// An ordinary image embedder beside the detector: the facts of its file that a run needs.
import type { PixelNumbers } from '../onnx/model-input.ts'
import type { Size } from '../picture/letterbox.ts'

/**
 * Conversion of RGB 0..1 to the embedder's training values: (value - mean) / deviation for each
 * channel.
 */
export const normalisations = {
  imagenet: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  clip: {
    mean: [0.48145466, 0.4578275, 0.40821073],
    deviation: [0.26862954, 0.26130258, 0.27577711]
  },
  /** -1..1 */
  half: { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] },
  /** 0..1 */
  unit: { mean: [0, 0, 0], deviation: [1, 1, 1] },
  /** 0..255 */
  bytes: { mean: [0, 0, 0], deviation: [1 / 255, 1 / 255, 1 / 255] }
} as const
export type Normalisation = keyof typeof normalisations

/** Models that were imported before the numbers were kept have a name. */
export const pixelNumbersOf = (normalisation: Normalisation | PixelNumbers): PixelNumbers =>
  typeof normalisation === 'string' ? normalisations[normalisation] : normalisation

const names = Object.keys(normalisations) as Normalisation[]
/** Files have a factor beside their numbers, which is rounded. */
const sameNumber = 1e-6

/** The name of these numbers; undefined where they have none. */
export function nameOf(normalisation: Normalisation | PixelNumbers): Normalisation | undefined {
  const { mean, deviation } = pixelNumbersOf(normalisation)
  const wanted = [...mean, ...deviation]
  return names.find((name) => {
    const known = normalisations[name]
    return [...known.mean, ...known.deviation].every(
      (value, i) => Math.abs(value - wanted[i]!) < sameNumber
    )
  })
}

/** Either in words. */
export function normalisationText(normalisation: Normalisation | PixelNumbers): string {
  const { mean, deviation } = pixelNumbersOf(normalisation)
  return nameOf(normalisation) ?? `mean ${mean.join(' ')}, deviation ${deviation.join(' ')}`
}

/**
 * Parts of the rows: `both`, or the embedder's alone. Without an embedder, rows are the detector's
 * own (`instance`).
 */
export const semanticKinds = ['both', 'semantic'] as const
export type SemanticKind = (typeof semanticKinds)[number]

/**
 * From tokens [batch, tokens, n] to a vector: the class token, the mean of the patches' tokens, or
 * both side by side, each of unit length.
 */
export const tokenPools = ['cls', 'mean', 'cls+mean'] as const
export type TokenPool = (typeof tokenPools)[number]

export interface TokenForm {
  pool: TokenPool
  /** Number of tokens before those of the patches: the class token and registers. */
  before: number
}

/** Form of the picture that the graph takes. */
export interface PixelForm {
  /** `uint8` is always 0..255. */
  type: 'float32' | 'float16' | 'uint8'
  /** [batch, height, width, 3] instead of [batch, 3, height, width]. */
  channelsLast: boolean
  order: 'RGB' | 'BGR'
}

/** Float32 planes of RGB, the form of nearly all exports. */
export const plainPixels: PixelForm = { type: 'float32', channelsLast: false, order: 'RGB' }

/** The origin of an embedder, for people. */
export interface SemanticOrigin {
  file: string
  /** Of the file as it was given. `sha256` differs from it where the graph was cut. */
  sha256: string
  /** What it takes and gives, in words. */
  layout: string
  /** File that size and numbers of the pixels are from; null: options, or defaults. */
  preprocessing: string | null
  interpolation: { trainedWith: string | null; used: string }
  licence: string | null
  notes: string[]
}

export interface SemanticModel {
  /** File beside the detector's file. */
  file: string
  sha256: string
  /** Files beside it that hold its weights. */
  data?: { file: string; sha256: string }[]
  kind: SemanticKind
  inputName: string
  size: Size
  /** Absent: `plainPixels`. */
  pixels?: PixelForm
  normalisation: Normalisation | PixelNumbers
  /**
   * A whole picture is scaled until its shortest edge has so many pixels, and the middle of `size`
   * is seen. Absent: a whole picture is stretched, as every box is.
   */
  shortestEdge?: number
  /** Number of crops that a run takes. */
  batch: 'any' | 'one'
  outputName: string
  /** Present where the output is [batch, tokens, n]. */
  tokens?: TokenForm
  /** Numbers for a crop, after averaging over the places of a map. */
  dim: number
  origin?: SemanticOrigin
}

/** Names of the embedder's files in a model's folder. */
export const semanticFiles = (
  semantic: Pick<SemanticModel, 'file' | 'data'> | undefined
): string[] =>
  semantic === undefined ? [] : [semantic.file, ...(semantic.data ?? []).map(({ file }) => file)]

const isTriple = (values: unknown, isValid: (value: number) => boolean): boolean =>
  Array.isArray(values) && values.length === 3 && values.every((value) => isValid(value as number))

/** True where a manifest's entry names known numbers. */
export function isNormalisation(value: unknown): value is Normalisation | PixelNumbers {
  if (typeof value === 'string') return Object.hasOwn(normalisations, value)
  const { mean, deviation } = (value ?? {}) as Partial<PixelNumbers>
  return (
    isTriple(mean, Number.isFinite) &&
    isTriple(deviation, (one) => Number.isFinite(one) && one !== 0)
  )
}
