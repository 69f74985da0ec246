// The ONNX runtime with its telemetry off; nothing else imports it directly.
import './no-telemetry.ts'

export * from 'onnxruntime-node'
