// Bytes that requests hold in the memory of this process, bounded together.
import { appError } from '@likeness/shared/errors'

/** What one request holds of a budget. */
export interface ByteShare {
  readonly bytes: number
  /** overloaded when all requests hold too much; a request that is alone may hold any number. */
  set(bytes: number): void
  release(): void
}

/** `what`: for the message, which things are bounded. Returns a function that opens a share. */
export function createByteBudget(mostBytes: number, what: string): () => ByteShare {
  let held = 0
  return () => {
    let own = 0
    return {
      get bytes() {
        return own
      },
      set(bytes) {
        const others = held - own
        if (others > 0 && others + bytes > mostBytes)
          throw appError('overloaded', `${what} are at most ${mostBytes} bytes together`)
        held = others + bytes
        own = bytes
      },
      release() {
        held -= own
        own = 0
      }
    }
  }
}
