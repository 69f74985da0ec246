// Reads a local file into one aligned array, so that typed arrays can be views of it.
import { open } from 'node:fs/promises'
import { appError } from '@likeness/shared/errors'

/** A read takes less than 2 GiB. */
const bytesPerRead = 256 * 1024 * 1024

export async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path)
  try {
    const body = new Uint8Array((await file.stat()).size)
    for (let at = 0; at < body.length; ) {
      const { bytesRead } = await file.read(body, at, Math.min(bytesPerRead, body.length - at), at)
      if (bytesRead === 0)
        throw appError('data_corrupt', `${path} ends at byte ${at} of ${body.length}`)
      at += bytesRead
    }
    return body
  } finally {
    await file.close()
  }
}
