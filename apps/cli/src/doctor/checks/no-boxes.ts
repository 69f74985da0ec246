// Pictures in which no subject is boxed: the whole picture is compared, with its background.
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import type { SearchOptions } from '../../api/item-calls.ts'
import type { CollectionCheck } from '../check.ts'
import { changeSettings, pictureUrl } from '../commands.ts'
import type { AskedPicture } from '../facts/ask-pictures.ts'

const fewest = 4
const leastBoxed = 0.25
/** A detector threshold at which more is boxed, and more of it wrongly. */
const lower = 0.1
const mostShown = 3

const isBoxed = ({ objects }: SearchAnswer): boolean =>
  objects.some(({ kind }) => kind === 'subject')

async function countBoxed(
  pictures: readonly AskedPicture[],
  options: SearchOptions
): Promise<number> {
  let count = 0
  for (const { again } of pictures) if (isBoxed(await again(options))) count++
  return count
}

export const noBoxes: CollectionCheck = {
  id: 'no-boxes',
  complaint: 'wrong',
  async examine({ api, collection: { name, settings }, facts }) {
    if (settings['query_subjects'] === 'none') return undefined
    const pictures = await facts.pictures()
    const without = pictures.filter(({ answer }) => !isBoxed(answer))
    const boxed = pictures.length - without.length
    if (pictures.length < fewest || boxed >= leastBoxed * pictures.length) return undefined
    const low = await countBoxed(without, { detector_threshold: lower })
    const tiled = await countBoxed(without, { detect_tiles: [2] })
    const classes = (settings['classes'] ?? []) as string[]
    return {
      found: `a subject is boxed in ${boxed} of ${pictures.length} pictures of the gallery; in ${boxed + low} with a detector threshold of ${lower}, in ${boxed + tiled} with detect_tiles 2${classes.length === 0 ? '' : `; only these classes count: ${classes.join(', ')}`}`,
      says: 'Without a box the whole picture is compared, with its background. The things are small, the detector does not know such things, or their classes are left out, which is fixed when a collection is made.',
      type: [
        ...(classes.length > 0
          ? ['likeness build -c GALLERY.yaml -o Likeness.classes=[]   # into another index_dir']
          : []),
        ...(tiled > 0 ? [changeSettings(api.url, name, { detect_tiles: [2] })] : []),
        'likeness eval --detect DIR   # measures the boxes on labelled pictures'
      ],
      examples: without.slice(0, mostShown).map(({ id }) => pictureUrl(api.url, name, id))
    }
  }
}
