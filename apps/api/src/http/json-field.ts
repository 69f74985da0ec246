import { appError } from '@likeness/shared/errors'

export function parseJsonField(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw appError('invalid_request', `field ${name} is not JSON`, { cause: error })
  }
}
