// Inputs and outputs of a model's run.
import type { DecodedImage } from '../picture/image-decode.ts'
import type { Box } from '../picture/letterbox.ts'

export interface Subject {
  /** Pixels of the upright picture, cut to the picture. */
  box: [number, number, number, number]
  score: number
  classId: number
  className: string
  /**
   * f32 [rawDim], each map's part unit length; then the part of an embedder beside the detector.
   */
  raw: Float32Array
}
export interface EmbedResult {
  width: number
  height: number
  /** Best first, at most `maxDetections`. */
  subjects: Subject[]
  /** Raw vector of the picture without the letterbox bars. */
  whole: Float32Array
  /** A raw vector per extra box, in their order. */
  extra: Float32Array[]
}
export interface EmbedOptions {
  /** Side of the square canvas; default: the model's own. A fixed model takes only its own. */
  size?: number
  confidence?: number
  iou?: number
  maxDetections?: number
  /** Picture pixels. Must have an area inside the picture. */
  extraBoxes?: readonly Box[]
}

/** The runs of a model: pictures in, vectors out. */
export interface EmbedRuns {
  embed(image: DecodedImage, options?: EmbedOptions): Promise<EmbedResult>
  /**
   * The same result as n single calls, in a single run where the model can. `extraBoxes` goes to
   * every picture.
   */
  embedBatch(images: readonly DecodedImage[], options?: EmbedOptions): Promise<EmbedResult[]>
  /**
   * Raw vector of the whole picture, letterboxed to a square of each size. Sizes are multiples of
   * 32.
   */
  embedWhole(image: DecodedImage, sizes: readonly number[]): Promise<Float32Array[]>
}
