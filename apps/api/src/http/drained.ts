import { once } from 'node:events'
import type { Response } from 'express'

/** Resolves when the client has read enough to write more, or is gone. */
export async function drained(res: Response, gone: AbortSignal): Promise<void> {
  try {
    await once(res, 'drain', { signal: gone })
  } catch (error) {
    // A client that left is not an error of ours.
    if (!gone.aborted) throw error
  }
}
