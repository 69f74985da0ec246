// The error for an unknown detector layout.
import { appError } from '@likeness/shared/errors'

const plainExport =
  'the plain detector, for example `yolo export model=best.pt format=onnx`; docs/models.md lists the layouts'

/** `what`: the observation. `instead`: what to export instead. */
export const unsupported = (what: string, cause?: unknown, instead = plainExport) =>
  appError('invalid_request', `unsupported layout: ${what}. Export instead: ${instead}`, { cause })
