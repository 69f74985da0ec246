// Shortens an error of onnxruntime to the node and the reason.
import { messageOf } from '@likeness/shared/errors'

/** Other errors keep their message. */
export function runtimeReason(error: unknown): string {
  const text = messageOf(error).trim()
  const [, operator, node, status] =
    /running (\w+) node\. Name:'([^']*)' Status Message: ([\s\S]*)/.exec(text) ?? []
  if (status === undefined) return text
  // The place in the runtime's own source, and the condition that failed there.
  const reason = status
    .replace(/^\S+\.(h|cc):\d+ [\s\S]*? was false\. /, '')
    .replace(/^\S+\.(h|cc):\d+ /, '')
  return `${operator} ${node}: ${reason.replace(/\s+/g, ' ').trim()}`
}
