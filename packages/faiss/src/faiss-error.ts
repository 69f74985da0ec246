// The one error of this package and the way errors of the addon become it.

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

/** Errors of the addon carry a code of ours and Faiss's text; anything else is a defect and stays what it is. */
export function toFaissError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !isCode(error.code)) return error
  return new FaissError(error.code, error.message, { cause: error })
}

function isCode(code: unknown): code is FaissErrorCode {
  return (codes as readonly unknown[]).includes(code)
}

/** Runs a call into the addon; its throw or rejection becomes a FaissError. */
export async function callAddon<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw toFaissError(error)
  }
}

/** As callAddon, for calls that answer at once. */
export function callAddonSync<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw toFaissError(error)
  }
}
