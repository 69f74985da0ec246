// Runs the model for one picture. Each run waits for the priority mutex separately, so a query
// waits for one run at most.
import type { Box } from '@likeness/shared/contract/embedder'
import {
  cropPicture,
  cutBox,
  type DecodedImage,
  detectInTiles,
  type Embedder,
  type EmbedOptions,
  type EmbedResult,
  nothingDetected,
  type Subject
} from '@likeness/vision'
import type { Priority } from '../child-protocol.ts'
import type { PriorityMutex } from '../priority-mutex.ts'

export interface InferenceDeps {
  embedder: Pick<Embedder, 'embed' | 'embedWhole'> & {
    manifest: {
      detection: { maxDetections: number }
      inputSize: { width: number; height: number }
    }
  }
  gate: PriorityMutex
}
export interface InferContext {
  priority: Priority
  /** Throws when the task was cancelled; called before each inference. */
  checkCancelled: () => void
}

export class Inference {
  private readonly embedder: InferenceDeps['embedder']
  private readonly gate: PriorityMutex
  private readonly context: InferContext
  private tookMs = 0

  constructor({ embedder, gate }: InferenceDeps, context: InferContext) {
    this.embedder = embedder
    this.gate = gate
    this.context = context
  }

  /** Time of all runs until now, without the waits between them. */
  get inferMs(): number {
    return this.tookMs
  }

  private run<T>(work: () => Promise<T>): Promise<T> {
    return this.gate.run(this.context.priority, async () => {
      this.context.checkCancelled()
      const startedMs = performance.now()
      const value = await work()
      this.tookMs += performance.now() - startedMs
      return value
    })
  }

  embed(image: DecodedImage, options: EmbedOptions): Promise<EmbedResult> {
    return this.run(() => this.embedder.embed(image, options))
  }

  /**
   * Embeds the whole picture once per canvas size. Feature maps depend on the scale, so both sides
   * of a search use the same sizes. An empty list of sizes means the model's own size. `seen`: the
   * vector that a run at that size gave.
   */
  async embedWhole(
    image: DecodedImage,
    sizes: readonly number[],
    seen?: Float32Array
  ): Promise<Float32Array[]> {
    if (sizes.length === 0)
      return [seen ?? (await this.embed(image, { confidence: nothingDetected })).whole]
    const { width, height } = this.embedder.manifest.inputSize
    const rawVectors: Float32Array[] = []
    for (const size of sizes)
      rawVectors.push(
        ...(seen !== undefined && size === width && size === height
          ? [seen]
          : await this.run(() => this.embedder.embedWhole(image, [size])))
      )
    return rawVectors
  }

  /** Embeds a box of the picture: a vector for each size. */
  embedPart(image: DecodedImage, box: Box, sizes: readonly number[]): Promise<Float32Array[]> {
    return this.embedWhole(cropPicture(image, cutBox(box, image)).image, sizes)
  }

  /** Finds the subjects of the picture's tiles. Each tile needs a run of the model. */
  detectInTiles(
    image: DecodedImage,
    grids: readonly number[],
    options: EmbedOptions
  ): Promise<Subject[]> {
    return detectInTiles(image, grids, (tile) => this.embed(tile, options))
  }
}
