// The ways of pictures through the decoder: one for gallery pictures, one for pictures of users. Each
// bounds the number of pictures in the decoder, and the bytes of all pictures that are held decoded.
import { createSemaphore } from '@likeness/shared/data/semaphore'
import type { DecodedImage, OpenedImage } from '@likeness/vision'

/** Gallery pictures that are decoded or being inferred: the first runs, the next is ready. */
const galleryInFlight = 2
const queryDecodes = 2

export interface DecodeSteps<T> {
  /** Reads the headers of the pictures that one task needs. */
  open: () => Promise<readonly OpenedImage[]>
  decode: (opened: OpenedImage) => Promise<DecodedImage>
  /** Uses the pixels. No one else may keep them. */
  work: (decoded: DecodedImage[]) => Promise<T>
}
export type DecodeLane = <T>(urgent: boolean, steps: DecodeSteps<T>) => Promise<T>

interface LaneOptions {
  /** Tasks at once in the decoder, or in decoder and `work` together. */
  most: number
  mostUntil: 'decoded' | 'worked'
  decodedBytes: number
}

/**
 * Returns a lane. The bytes of a task's pictures are taken all at once before the first is decoded,
 * and given back when the work has ended. A task that needs more than all bytes runs alone.
 */
function createLane({ most, mostUntil, decodedBytes }: LaneOptions): DecodeLane {
  const permits = createSemaphore(most)
  const room = createSemaphore(decodedBytes)
  return async (urgent, { open, decode, work }) => {
    const giveBack = await permits.take(urgent)
    const releases = [giveBack]
    try {
      const opened = await open()
      releases.push(
        await room.take(
          urgent,
          opened.reduce((sum, { heldBytes }) => sum + heldBytes, 0)
        )
      )
      const decoded: DecodedImage[] = []
      for (const one of opened) decoded.push(await decode(one))
      if (mostUntil === 'decoded') giveBack()
      return await work(decoded)
    } finally {
      for (const release of releases) release()
    }
  }
}

/** `decodedBytes`: most bytes of each lane. */
export const createDecodeLanes = (
  decodedBytes: number
): { gallery: DecodeLane; query: DecodeLane } => ({
  gallery: createLane({ most: galleryInFlight, mostUntil: 'worked', decodedBytes }),
  query: createLane({ most: queryDecodes, mostUntil: 'decoded', decodedBytes })
})
