// The error for a detector that is not understood.
import { appError } from '@likeness/shared/errors'

export const unsupported = (what: string, cause?: unknown) =>
  appError('invalid_request', `unsupported layout: ${what}`, { cause })
