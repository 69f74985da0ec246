// The views of a gallery picture that are enrolled: on each ground, upright, turned and slanted.
import type { Box } from '@likeness/shared/contract/embedder'
import type { Enrolment } from '@likeness/shared/contract/picture-settings'
import { cropPicture, type DecodedImage, onGround, type Pose, turnPicture } from '@likeness/vision'

/** Size in pixels of turned views, where the views have no size of their own. */
const turnedSide = 512

type ViewSettings = Pick<
  Enrolment,
  'backgrounds' | 'view_turns' | 'view_shears' | 'view_parts' | 'view_sizes'
>

const posesOf = ({ view_turns: turns, view_shears: shears }: ViewSettings): Pose[] => [
  ...turns.map((degrees) => ({ degrees, shear: 0 })),
  ...shears.map((shear) => ({ degrees: 0, shear }))
]

/** Returns a strip of the picture from each side; `share` is its part of that side. */
function partsOf({ width, height }: DecodedImage, share: number): Box[] {
  const [w, h] = [share * width, share * height]
  return [
    [0, 0, width, h],
    [0, height - h, width, height],
    [0, 0, w, height],
    [width - w, 0, width, height]
  ]
}

/** Yields the views; the upright view on the first ground comes first. */
export async function* enrolmentViews(
  image: DecodedImage,
  settings: ViewSettings
): AsyncGenerator<DecodedImage> {
  const grounds = image.rgba === undefined ? (['auto'] as const) : new Set(settings.backgrounds)
  // Twice the size that the model sees, so that the second resampling loses no detail.
  const longestSide =
    settings.view_sizes.length === 0 ? turnedSide : 2 * Math.max(...settings.view_sizes)
  for (const ground of grounds) {
    const upright = onGround(image, ground)
    yield upright
    for (const pose of posesOf(settings)) yield await turnPicture(upright, pose, longestSide)
    for (const share of settings.view_parts)
      for (const box of partsOf(upright, share)) yield cropPicture(upright, box).image
  }
}
