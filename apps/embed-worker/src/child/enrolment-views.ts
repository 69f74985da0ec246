// The views of a gallery picture that are enrolled: on each ground, upright, turned and slanted.
import type { Enrolment } from '@likeness/shared/contract/picture-settings'
import { onGround, turnPicture } from '@likeness/vision'
import type { DecodedImage, Pose } from '@likeness/vision'

/** Where no view has a size of its own. */
const turnedSide = 512

type ViewSettings = Pick<Enrolment, 'backgrounds' | 'view_turns' | 'view_shears' | 'view_sizes'>

const posesOf = ({ view_turns: turns, view_shears: shears }: ViewSettings): Pose[] => [
  ...turns.map((degrees) => ({ degrees, shear: 0 })),
  ...shears.map((shear) => ({ degrees: 0, shear }))
]

/** Upright on the first ground comes first. */
export async function* enrolmentViews(image: DecodedImage, settings: ViewSettings): AsyncGenerator<DecodedImage> {
  const grounds = image.rgba === undefined ? (['auto'] as const) : new Set(settings.backgrounds)
  // Twice the size that the model sees: turned once more by the resampling, nothing is lost.
  const longestSide = settings.view_sizes.length === 0 ? turnedSide : 2 * Math.max(...settings.view_sizes)
  for (const ground of grounds) {
    const upright = onGround(image, ground)
    yield upright
    for (const pose of posesOf(settings)) yield await turnPicture(upright, pose, longestSide)
  }
}
