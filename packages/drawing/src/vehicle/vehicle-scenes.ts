// A vehicle as a roadside camera sees it. The first camera looks from ahead in daylight; the second
// from the side, from higher up and farther away, at dusk.
import { contactShadow } from '../contact-shadow.ts'
import { type CameraQuality, photograph } from '../photograph.ts'
import { cutOut, overlay } from '../pixels.ts'
import { renderMesh } from '../render-mesh.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { type Camera, streetAt, streetHeight, streetWidth } from './street.ts'
import type { Vehicle } from './vehicle-identity.ts'
import { makeVehicle } from './vehicle-mesh.ts'

type Range = readonly [number, number]
interface Post {
  yaw: Range
  pitch: Range
  distance: Range
  /** Size of the vehicle, as a fraction of the picture's width. */
  size: Range
  foot: Range
  light: readonly [number, number, number]
  ambient: number
  /** Strength, and red to blue. */
  level: Range
  warmth: Range
  quality: CameraQuality
}
const posts: Record<Camera, Post> = {
  cam1: {
    yaw: [22, 40],
    pitch: [5, 10],
    distance: [4, 5.5],
    size: [0.85, 1.08],
    foot: [0.9, 1],
    light: [-0.5, 0.8, 0.6],
    ambient: 0.5,
    level: [0.9, 1.1],
    warmth: [0, 0.06],
    quality: { blur: [0.3, 0.6], grain: [1, 2.5], quality: [65, 85] }
  },
  cam2: {
    yaw: [-6, 12],
    pitch: [13, 19],
    distance: [7, 10],
    size: [0.68, 0.9],
    foot: [0.82, 0.96],
    light: [0.6, 0.9, 0.3],
    ambient: 0.62,
    level: [0.65, 0.95],
    warmth: [-0.14, -0.04],
    quality: { blur: [0.5, 1], grain: [3, 6], quality: [40, 65] }
  }
}

/** Margin around the vehicle, as a fraction of its width, like a traffic camera's detector. */
const cutMargin = [0.02, 0.1] as const

export async function vehiclePicture(
  vehicle: Vehicle,
  camera: Camera,
  random: SeededRandom
): Promise<Buffer> {
  const post = posts[camera]
  const { length, width } = vehicle.model
  const level = random.between(...post.level)
  const warmth = random.between(...post.warmth)
  const tint = [level * (1 + warmth), level, level * (1 - warmth)] as const
  const large = length > 6 ? 1.1 : 1
  const thing = renderMesh(
    [
      contactShadow({
        halfWidth: length * 0.62,
        halfDepth: width * 0.85,
        strength: random.between(0.5, 0.85)
      }),
      ...(await makeVehicle(vehicle))
    ],
    {
      yaw: random.between(...post.yaw),
      pitch: random.between(...post.pitch),
      roll: random.between(-1.5, 1.5),
      distance: random.between(...post.distance),
      size: streetWidth * random.between(...post.size) * large,
      light: post.light,
      ambient: post.ambient,
      tint
    }
  )
  const canvas = await streetAt(camera, tint)
  const free = streetWidth - thing.width
  const left = Math.round(free / 2 + free * random.between(-0.35, 0.35))
  const top = Math.round(streetHeight * random.between(...post.foot) - thing.height)
  overlay(canvas, thing, left, top)
  const margin = (): number => Math.round(thing.width * random.between(...cutMargin))
  return photograph(
    cutOut(canvas, {
      left: left - margin(),
      top: top - margin(),
      right: left + thing.width + margin(),
      bottom: top + thing.height + margin()
    }),
    post.quality,
    random
  )
}
