// The ONNX runtime with its telemetry off and half precision as bits; nothing else imports it
// directly.
import './no-telemetry.ts'
import { Tensor } from 'onnxruntime-node'

export * from 'onnxruntime-node'

/**
 * Keeps half precision in Uint16Array. The JavaScript of the runtime takes Float16Array where there
 * is one (Node 24), which its native part reads as empty: "not enough space: expected 24576, got
 * 0". It looks once, at its first tensor.
 */
function keepHalfAsBits(): void {
  const found = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array')
  if (found === undefined) return
  Reflect.deleteProperty(globalThis, 'Float16Array')
  try {
    new Tensor('uint8', new Uint8Array(1), [1])
  } finally {
    Object.defineProperty(globalThis, 'Float16Array', found)
  }
}
keepHalfAsBits()
