// Embed-workers that make other vectors than those of the collection, or of several models.
import type { CollectionCheck } from '../check.ts'

const modelOf = (version: string): string => version.split('/')[0]!

/** A change of the embedding that was not made, in words. */
const reasons: Record<string, string> = {
  raw_vectors_missing: 'the raw vectors that it is made from are gone',
  data_corrupt: 'a file that it is made from is damaged'
}

export const embedding: CollectionCheck = {
  id: 'embedding',
  complaint: 'wrong',
  async examine({ collection, status, facts }) {
    const { name, embedding: own, reprojection } = collection
    const reason = reprojection === null ? undefined : reasons[reprojection.state]
    if (reason !== undefined)
      return {
        found: `${own.version} is served, ${reprojection!.embedding.version} was asked for, and ${reason}`,
        says: 'Answers come from the embedding of before. Embed the pictures again into a new collection.',
        type: [`likeness build -c GALLERY.yaml   # with another index_dir: ${name} stays as it is`]
      }
    const models = [...new Set(status.lanes.map(({ embedding: one }) => modelOf(one.version)))]
    if (models.length > 1)
      return {
        found: `the embed-workers have several models: ${models.join(', ')}`,
        says: 'Pictures wait, or are refused, until they meet a worker with their model. Run one model.',
        type: ['likeness status   # names the workers; stop those with the wrong MODEL_DIR']
      }
    if (models.length === 0 || models.includes(modelOf(own.version))) return undefined
    const pictures = (await facts.items()).filter(({ width }) => width > 0).length
    if (pictures === 0 && collection.open_jobs === 0) return undefined
    return {
      found: `the vectors are of ${own.version}, the embed-workers have ${models[0]}`,
      says: 'Vectors of two models cannot be compared: pictures are refused with embedding_mismatch. Start the stack with the model of the gallery, or build the gallery again.',
      type: [
        'likeness model list',
        `likeness down && likeness up --model ${modelOf(own.version).split('@')[0]}`
      ]
    }
  }
}
