import { boxProblem } from '@likeness/shared/contract/box-check'
import type { Box } from '@likeness/shared/contract/embedder'
import { appError } from '@likeness/shared/errors'

/** invalid_request for a box that cannot be meant: normalised, without an area, or tiny. */
export function checkBox(name: string, box: Box | undefined): void {
  const problem = box && boxProblem(box)
  if (problem !== undefined) throw appError('invalid_request', `${name}: ${problem}`)
}
