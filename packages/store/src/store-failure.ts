// Turns the errors of file systems and S3 servers into the store's own errors. Also holds the
// checks that all adapters share.
import { type Readable, Transform } from 'node:stream'
import { appError, type AppError, isAppError, messageOf } from '@likeness/shared/errors'
import { findMachineFailure } from '@likeness/shared/process/machine-failure'

/**
 * Most bytes of a conditional write. Such writes are never multipart, and every S3 server takes at
 * least 5 MiB in one part.
 */
export const maxConditionalBytes = 5 * 1024 * 1024

/**
 * Returns `store_unavailable` with its cause. A known cause, such as a full disk, is named with what
 * to do, and its stable word is `detail.reason`. An AppError passes unchanged.
 */
export function storeFailure(what: string, cause: unknown): AppError {
  if (isAppError(cause)) return cause
  const failure = findMachineFailure(cause)
  const why = failure === undefined ? messageOf(cause) : `${failure.text} (${messageOf(cause)})`
  return appError('store_unavailable', `The object store failed to ${what}: ${why}`, {
    cause,
    ...(failure && { detail: { reason: failure.reason } })
  })
}

/** Runs one call to the store. Any error becomes `store_unavailable`, except an AppError. */
export async function guarded<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw storeFailure(what, error)
  }
}

export function checkConditionalSize(key: string, body: Uint8Array): void {
  if (body.byteLength <= maxConditionalBytes) return
  throw appError(
    'too_large',
    `A conditional write of ${key} may have ${maxConditionalBytes} bytes, not ${body.byteLength}.`
  )
}

export function checkRange(offset: number, length: number): void {
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0)
    return
  throw appError(
    'invalid_request',
    `A range must be two whole numbers >= 0, not ${offset} and ${length}.`
  )
}

export function streamTooLarge(key: string, maxBytes: number): AppError {
  return appError('too_large', `The stream for ${key} is longer than ${maxBytes} bytes.`, {
    detail: { maxBytes }
  })
}

/**
 * Returns a stream of the same bytes. A source that fails or ends early becomes a
 * `store_unavailable` error. Destroying the result frees the source.
 */
export function withStoreErrors(source: Readable, what: string): Readable {
  const out = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) })
  source.on('error', (error) => out.destroy(storeFailure(what, error)))
  source.on('close', () => {
    if (!source.readableEnded && !out.destroyed)
      out.destroy(storeFailure(what, new Error('the connection closed early')))
  })
  out.on('close', () => source.destroy())
  source.pipe(out)
  return out
}
