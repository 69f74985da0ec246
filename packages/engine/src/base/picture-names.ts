// Names of pictures that the collection itself has stored: those of the arrivals of a pack, and those
// that no version needs any more. A name is the part of the key after the prefix of pictures. Pictures
// that an import refers to are elsewhere in the store, and are nobody's business here.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import { orderOfImage } from '@likeness/shared/contract/keys'
import { fileRefSchema } from '../state/file-ref.ts'
import { unzipped, zipped } from '../state/zipped.ts'

/** The pictures of a pack. `from`, `to`: the first and the last in the order of ingestions. */
export const packPicturesSchema = fileRefSchema.extend({ from: z.string(), to: z.string() })
export type PackPictures = z.infer<typeof packPicturesSchema>

const ofPackSchema = z.strictObject({
  format: z.literal(1),
  arrivals: z.array(z.number().int()),
  names: z.array(z.string())
})
const deadSchema = z.strictObject({ format: z.literal(1), names: z.array(z.string()) })

export interface ArrivalPicture {
  arrival: number
  name: string
}

/** Returns undefined for a picture that is not stored by the collection. */
export function pictureName(imagePrefix: string, imageKey: string | null): string | undefined {
  if (imageKey === null || !imageKey.startsWith(imagePrefix)) return undefined
  const name = imageKey.slice(imagePrefix.length)
  return orderOfImage(name) === undefined ? undefined : name
}

/** The first and the last name, in the order of ingestions. */
export function rangeOf(names: readonly string[]): Pick<PackPictures, 'from' | 'to'> {
  let [from, to] = ['~', '']
  for (const name of names) {
    const order = orderOfImage(name)!
    if (order < from) from = order
    if (order > to) to = order
  }
  return { from, to }
}

export const encodePackPictures = (pictures: readonly ArrivalPicture[]): Uint8Array =>
  zipped(
    encodeObject({
      format: 1,
      arrivals: pictures.map(({ arrival }) => arrival),
      names: pictures.map(({ name }) => name)
    } satisfies z.infer<typeof ofPackSchema>)
  )

/** Throws data_corrupt. */
export function decodePackPictures(key: string, body: Uint8Array): ArrivalPicture[] {
  const { arrivals, names } = decodeObject(ofPackSchema, key, unzipped(key, body))
  return arrivals.map((arrival, at) => ({ arrival, name: names[at]! }))
}

export const encodeDeadPictures = (names: readonly string[]): Uint8Array =>
  zipped(encodeObject({ format: 1, names: [...names] } satisfies z.infer<typeof deadSchema>))

/** Throws data_corrupt. */
export const decodeDeadPictures = (key: string, body: Uint8Array): string[] =>
  decodeObject(deadSchema, key, unzipped(key, body)).names
