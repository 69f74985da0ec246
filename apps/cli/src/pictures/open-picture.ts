// Opens a user's picture in this process, to shrink or crop it. Harmless faults are passed over, as
// they are in the embed-worker.
import sharp, { type Sharp } from 'sharp'

export const openPicture = (input: string | Uint8Array): Sharp => sharp(input, { failOn: 'error' })
