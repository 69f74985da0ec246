// Tells the tokens of a transformer apart: class token, registers, patches.
import { appError } from '@likeness/shared/errors'
import type { Size } from '../picture/letterbox.ts'
import type { TokenForm, TokenPool } from './semantic-model.ts'

export interface SeenTokens {
  /** Tokens of one picture. */
  count: number
  size: Size
  patch: Size | undefined
  pool: TokenPool | undefined
  /** For messages. */
  file: string
}

/** Strides of the last stage where the first convolution does not tell (Swin, Hiera). */
const usualStrides = [32, 16, 14, 8]
/** A class token, and at most so many registers or other tokens. */
const mostBefore = 17

/**
 * The class token where there is one, else the mean of the patches' tokens. Throws
 * `invalid_request` where the patches cannot be counted, or the wanted token is not there.
 */
export function readTokens({ count, size, patch, pool, file }: SeenTokens): TokenForm {
  const before = tokensBefore(count, size, patch)
  const refuse = (problem: string): never => {
    throw appError('invalid_request', `${file} gives ${count} tokens: ${problem}`)
  }
  if (before === undefined)
    return pool === 'cls'
      ? { pool, before: 1 }
      : refuse(
          `they are not counted by the patches of ${size.width}x${size.height}; give --embedder-size for the size it was trained at, or --embedder-pool cls where its first token is the vector`
        )
  if (before === 0 && pool !== undefined && pool !== 'mean')
    return refuse('all of them are patches, there is no class token: --embedder-pool mean')
  return { pool: pool ?? (before === 0 ? 'mean' : 'cls'), before }
}

function tokensBefore(count: number, { width, height }: Size, patch?: Size): number | undefined {
  const patches = patch && Math.floor(height / patch.height) * Math.floor(width / patch.width)
  if (patches !== undefined && count >= patches && count - patches <= mostBefore)
    return count - patches
  return usualStrides
    .map((stride) => count - Math.floor(height / stride) * Math.floor(width / stride))
    .find((rest) => rest === 0 || rest === 1)
}
