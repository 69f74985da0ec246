// Sends a child's messages in as few posts as possible. Each post wakes the supervisor, which takes
// a core from an inference.
import type { FromChild } from '../child-protocol.ts'

/** Posts the messages of a turn together, before the event loop goes on. */
export function createOutbox(post: (messages: FromChild[]) => void): (message: FromChild) => void {
  let waiting: FromChild[] = []
  return (message) => {
    // Runs after all promise reactions of this turn, and before any timer, file or inference.
    if (waiting.push(message) > 1) return
    process.nextTick(() => {
      const messages = waiting
      waiting = []
      post(messages)
    })
  }
}
