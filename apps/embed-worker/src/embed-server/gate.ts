// The gate of the embed server: bounds the requests that are open at once, and the bytes of their
// bodies.
import { maxOpenPictureBytes, maxOpenPictures } from '@likeness/shared/contract/limits'
import { appError } from '@likeness/shared/errors'

export interface Gate {
  /**
   * Lets a request in before its body is read. Throws `overloaded`. The returned function lets it
   * out. A body of any size gets in when no other request is open.
   */
  enter(bodyBytes: number): () => void
}

export function createGate({
  most = maxOpenPictures,
  mostBytes = maxOpenPictureBytes
}: {
  most?: number
  mostBytes?: number
} = {}): Gate {
  let open = 0
  let bytes = 0
  const refuse = (why: string) => appError('overloaded', why, { retryAfterS: 1 })
  return {
    enter(bodyBytes) {
      if (open >= most) throw refuse(`${open} pictures are waiting already, at most ${most} do`)
      if (open > 0 && bytes + bodyBytes > mostBytes)
        throw refuse(
          `pictures of ${bytes} bytes are waiting already, ${bodyBytes} more make more than ${mostBytes}`
        )
      open += 1
      bytes += bodyBytes
      let isOut = false
      return () => {
        if (isOut) return
        isOut = true
        open -= 1
        bytes -= bodyBytes
      }
    }
  }
}
