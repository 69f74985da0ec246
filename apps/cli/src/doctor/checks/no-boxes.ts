// Pictures in which no subject is boxed: the whole picture is compared, with its background.
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import type { CollectionCheck } from '../check.ts'
import { pictureUrl } from '../commands.ts'

const fewest = 4
const leastBoxed = 0.25
/** A detector threshold at which more is boxed, and more of it wrongly. */
const lower = 0.1
const mostShown = 3

const isBoxed = ({ objects }: SearchAnswer): boolean =>
  objects.some(({ kind }) => kind === 'subject')

export const noBoxes: CollectionCheck = {
  id: 'no-boxes',
  complaint: 'wrong',
  async examine({ api, collection: { name, settings }, facts }) {
    if (settings['query_subjects'] === 'none') return undefined
    const pictures = await facts.pictures()
    const without = pictures.filter(({ answer }) => !isBoxed(answer))
    const boxed = pictures.length - without.length
    if (pictures.length < fewest || boxed >= leastBoxed * pictures.length) return undefined
    let more = 0
    for (const { again } of without) if (isBoxed(await again({ detector_threshold: lower }))) more++
    const classes = (settings['classes'] ?? []) as string[]
    return {
      found: `a subject is boxed in ${boxed} of ${pictures.length} pictures of the gallery, with a detector threshold of ${lower} in ${boxed + more}${classes.length === 0 ? '' : `; only these classes count: ${classes.join(', ')}`}`,
      says: 'Without a box the whole picture is compared, with its background. The detector does not know such things, or its classes are left out: `classes` and `without_classes` are fixed when a collection is made.',
      type: [
        'likeness eval --detect DIR   # measures the boxes on labelled pictures',
        'likeness build -c GALLERY.yaml -o Likeness.classes=[]   # into another index_dir'
      ],
      examples: without.slice(0, mostShown).map(({ id }) => pictureUrl(api.url, name, id))
    }
  }
}
