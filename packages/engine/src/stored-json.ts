// JSON objects of ours in the store: whatever is not as this program writes it is damaged.
import { appError } from '@likeness/shared/errors'
import type { z } from 'zod'

/** data_corrupt when it does not parse. */
export function parseStored<T>(schema: z.ZodType<T>, key: string, body: Uint8Array): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(body).toString('utf8')))
  } catch (error) {
    throw appError('data_corrupt', `${key} is not what this program writes`, { cause: error })
  }
}
