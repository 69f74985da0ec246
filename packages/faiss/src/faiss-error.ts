// The only error class of this package, and the conversion of the addon's errors.

const codes = [
  'faiss_failed',
  'dimension_mismatch',
  'invalid_argument',
  'closed',
  'data_corrupt',
  'unsupported_index',
  'too_few_points'
] as const

export type FaissErrorCode = (typeof codes)[number]

export class FaissError extends Error {
  override readonly name = 'FaissError'
  readonly code: FaissErrorCode

  constructor(code: FaissErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export function invalidArgument(message: string): FaissError {
  return new FaissError('invalid_argument', message)
}

/**
 * Converts errors of the addon, which have one of our codes and Faiss's text. Any other error is a
 * defect and is returned unchanged.
 */
export function toFaissError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !isCode(error.code)) return error
  return new FaissError(error.code, error.message, { cause: error })
}

function isCode(code: unknown): code is FaissErrorCode {
  return (codes as readonly unknown[]).includes(code)
}

/** Runs a call into the addon. An exception or rejection becomes a FaissError. */
export async function callAddon<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toFaissError(error)
  }
}

/** Does the same as callAddon, for calls that return at once. */
export function callAddonSync<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw toFaissError(error)
  }
}
