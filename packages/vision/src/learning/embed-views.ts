// Raw vectors of views of references, many views in each run of the model.
import type { Embedder } from '../model/embedder.ts'
import { nothingDetected } from '../model/model-runner.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import { drawMosaic, type ViewRandom } from './view-mosaic.ts'

/** Pictures of the same thing. */
export type Reference = readonly DecodedImage[]

/** Raw vectors of a reference: of the unchanged first picture, then of views. */
export type ReferenceViews = Float32Array[]

/** Pictures per canvas, round by round. Their sizes differ, like the sizes of things in scenes. */
const rounds = [
  { perCanvas: 4, asIs: true },
  ...[4, 9, 4, 9, 4, 9].map((perCanvas) => ({ perCanvas, asIs: false }))
]

export interface EmbedViewsOptions {
  embedder: Pick<Embedder, 'embed' | 'manifest'>
  references: readonly Reference[]
  random: ViewRandom
  onProgress?: (done: number, total: number) => void
}

/** Embeds the picture and six views of each reference, in the order of the references. */
export async function embedViews({
  embedder,
  references,
  random,
  onProgress
}: EmbedViewsOptions): Promise<ReferenceViews[]> {
  const views = references.map((): ReferenceViews => [])
  const size = embedder.manifest.inputSize
  const total = rounds.reduce(
    (sum, { perCanvas }) => sum + Math.ceil(references.length / perCanvas),
    0
  )
  let done = 0
  for (const [round, { perCanvas, asIs }] of rounds.entries()) {
    for (let from = 0; from < references.length; from += perCanvas) {
      const some = references.slice(from, from + perCanvas)
      const ground =
        asIs || random.next() < 0.3 ? undefined : references[random.below(references.length)]![0]
      const { canvas, boxes } = drawMosaic(
        some.map((pictures) => pictures[asIs ? 0 : round % pictures.length]!),
        { size, ground, random: asIs ? undefined : random }
      )
      const { extra } = await embedder.embed(canvas, {
        extraBoxes: boxes,
        confidence: nothingDetected
      })
      extra.forEach((raw, i) => views[from + i]!.push(raw))
      onProgress?.(++done, total)
    }
  }
  return views
}
