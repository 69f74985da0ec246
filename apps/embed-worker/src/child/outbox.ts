// What a child says, in as few messages as can be: each one wakes the supervisor, which takes a core from an inference for it.
import type { FromChild } from '../child-protocol.ts'

/** Messages of one turn are posted together, before the event loop goes on. */
export function createOutbox(post: (messages: FromChild[]) => void): (message: FromChild) => void {
  let waiting: FromChild[] = []
  return (message) => {
    // After all that the promises settled now lead to, and before any timer, file or inference.
    if (waiting.push(message) > 1) return
    process.nextTick(() => {
      const messages = waiting
      waiting = []
      post(messages)
    })
  }
}
