// Pictures that are too small to show what tells things apart.
import type { CollectionCheck } from '../check.ts'
import { pictureUrl } from '../commands.ts'

/** The model looks at boxes in 224 pixels: below half of that more is made up than seen. */
const leastSide = 112
const mostShare = 0.1
const fewest = 3
const mostShown = 5

export const smallPictures: CollectionCheck = {
  id: 'small-pictures',
  complaint: 'wrong',
  async examine({ api, collection: { name }, facts }) {
    const pictures = (await facts.items()).filter(({ width, height }) => width > 0 && height > 0)
    const small = pictures
      .filter(({ width, height }) => Math.min(width, height) < leastSide)
      .sort((a, b) => a.width * a.height - b.width * b.height)
    if (small.length < fewest || small.length <= mostShare * pictures.length) return undefined
    return {
      found: `${small.length} of ${pictures.length} pictures have a side below ${leastSide} pixels`,
      says: 'They are enlarged before they are embedded, and enlarged pictures resemble each other. Replace them by larger ones, with the same ids.',
      type: ['likeness append -c GALLERY.yaml -o IndexProcess.data_file=larger.txt'],
      examples: small
        .slice(0, mostShown)
        .map(
          ({ id, width, height }) => `${id}, ${width} x ${height}: ${pictureUrl(api.url, name, id)}`
        )
    }
  }
}
