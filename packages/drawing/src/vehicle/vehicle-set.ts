// The vehicle example: every vehicle is seen twice by each of two cameras. The queries are a third
// picture of each camera.
import { type DrawnPicture, type ExampleSet, type Plan, unknownLabel } from '../example-set.ts'
import { createRandom } from '../seeded-random.ts'
import { type Camera, cameras } from './street.ts'
import { inventVehicles, looksAlike, type Vehicle } from './vehicle-identity.ts'
import { vehiclePicture } from './vehicle-scenes.ts'

/**
 * Kinds of queries, the last field of their lines. `lookalike`: the gallery has another vehicle of
 * this model and colour.
 */
export const vehicleKinds = ['cross-camera', 'lookalike', 'unknown'] as const

const vehicleCount = 74
const unknownEvery = 6
const galleryViews = ['a', 'b']

/** Makes the set. The seed decides everything. */
export const vehicleSet = (seed = 12): ExampleSet => ({
  version: `vehicle 3 ${seed}`,
  plan: async () => planVehicles(seed)
})

function planVehicles(seed: number): Plan {
  const random = createRandom(seed)
  const all = inventVehicles(vehicleCount, random.fork('vehicles'))
  const isStranger = (_: Vehicle, i: number): boolean => i % unknownEvery === unknownEvery - 1
  const known = all.filter((vehicle, i) => !isStranger(vehicle, i))
  const picture = (
    vehicle: Vehicle,
    camera: Camera,
    listed: Pick<DrawnPicture, 'path' | 'label' | 'more'>
  ): DrawnPicture => ({
    ...listed,
    draw: () => vehiclePicture(vehicle, camera, random.fork(listed.path))
  })
  const kindOf = (vehicle: Vehicle): string =>
    known.some((other) => looksAlike(vehicle, other)) ? 'lookalike' : 'cross-camera'
  const ask = (vehicle: Vehicle, label: string, kind: string): DrawnPicture[] =>
    cameras.map((camera) =>
      picture(vehicle, camera, {
        path: `images/query/${vehicle.label}-${camera}.jpg`,
        label,
        more: [camera, kind]
      })
    )
  return {
    gallery: known.flatMap((vehicle) =>
      cameras.flatMap((camera) =>
        galleryViews.map((view) =>
          picture(vehicle, camera, {
            path: `images/gallery/${vehicle.label}-${camera}${view}.jpg`,
            label: vehicle.label,
            more: [camera]
          })
        )
      )
    ),
    queries: [
      ...known.flatMap((vehicle) => ask(vehicle, vehicle.label, kindOf(vehicle))),
      ...all.filter(isStranger).flatMap((vehicle) => ask(vehicle, unknownLabel, 'unknown'))
    ]
  }
}
