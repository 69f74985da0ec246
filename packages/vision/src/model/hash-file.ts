// SHA-256 of a file that may be larger than memory.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 ** 2 }))
    hash.update(chunk as Buffer)
  return hash.digest('hex')
}
