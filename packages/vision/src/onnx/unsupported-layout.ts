// The error for an unknown detector layout.
import { appError } from '@likeness/shared/errors'

export const unsupported = (what: string, cause?: unknown) =>
  appError('invalid_request', `unsupported layout: ${what}`, { cause })
