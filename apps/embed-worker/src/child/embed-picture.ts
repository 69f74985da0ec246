// Chooses the boxes and views of a picture to embed; the embedder turns each into a vector. Each
// inference takes the priority mutex separately, so a query waits for at most a single inference.
import { toFloat16 } from '@likeness/shared/data/float16'
import type { DecodedImage } from '@likeness/vision'
import type { ItemTask, QueryTask } from '../child-protocol.ts'
import { inferItem, type InferredItem } from './infer-item.ts'
import { type InferContext, Inference, type InferenceDeps } from './inference.ts'
import { describe, type Inferred, moveBox, moved, placed, rawOf } from './picture-rows.ts'
import type { Project } from './projections.ts'
import { foundRows, givenRows, plain } from './query-rows.ts'
import { projectMeans } from './query-views.ts'

export interface EmbedPictureDeps extends InferenceDeps {
  /** f32 [n, rawDim] to f32 [n, dim]. */
  project: Project
  /** The same, together with other gallery pictures. */
  projectTogether: Project
}

export function createPictureEmbedder(deps: EmbedPictureDeps) {
  const { project, projectTogether } = deps
  const { maxDetections: ownMost } = deps.embedder.manifest.detection

  /** Projects an item. An item of a bulk import waits a short time for other bulk items. */
  async function finishItem(
    { raw, ...inferred }: InferredItem,
    { embedding }: ItemTask,
    { priority }: InferContext
  ): Promise<Inferred> {
    const vectors = await (priority === 'bulk' ? projectTogether : project)(raw, embedding)
    return { ...inferred, vectors, raw: toFloat16(raw) }
  }

  /**
   * Embeds the given box alone; else the subjects, best first, then the whole picture at the sizes
   * of the gallery's views, then tiles.
   */
  async function embedQuery(
    picture: DecodedImage,
    task: QueryTask,
    context: InferContext
  ): Promise<Inferred> {
    const inference = new Inference(deps, context)
    const { box, embedding, enrolment = plain.enrolment } = task
    const { image, ...offset } = placed(picture, enrolment)
    const rows = box
      ? await givenRows(
          image,
          moveBox(box, { left: -offset.left, top: -offset.top }),
          task,
          inference
        )
      : await foundRows(image, task, ownMost, inference)
    return {
      ...describe(picture, moved(rows, offset)),
      vectors: await projectMeans(rows, embedding, project),
      raw: task.raws ? toFloat16(rawOf(rows)) : new Uint16Array(0),
      inferMs: inference.inferMs
    }
  }

  return {
    inferItem: (picture: DecodedImage, task: ItemTask, context: InferContext) =>
      inferItem(picture, task, ownMost, new Inference(deps, context)),
    finishItem,
    embedQuery
  }
}
export type PictureEmbedder = ReturnType<typeof createPictureEmbedder>
