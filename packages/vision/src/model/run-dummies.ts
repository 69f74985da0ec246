// Runs the untouched detector on dummy pictures.
import * as ort from '../onnx-runtime.ts'
import { inputTensor, type ModelInput } from '../onnx/model-input.ts'
import { unsupported } from '../onnx/unsupported-layout.ts'
import { dummyPictures } from '../picture/dummy-pictures.ts'
import { runtimeReason } from '../runtime/runtime-reason.ts'
import { exactProducts } from '../runtime/session.ts'

export type DummyRun = ort.InferenceSession.OnnxValueMapType

/** Opens a file of ours or of an exporter on one thread. `invalid_request` where it does not load. */
export async function openDummySession(bytes: Uint8Array): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      ...exactProducts(),
      // Errors come as exceptions; the runtime would print them too.
      logSeverityLevel: 4
    })
  } catch (error) {
    throw unsupported(`onnxruntime does not load it: ${runtimeReason(error)}`, error)
  }
}

/** `bytes`: the .onnx file. A run for each picture. */
export async function runDummies({
  bytes,
  input
}: {
  bytes: Uint8Array
  input: ModelInput
}): Promise<DummyRun[]> {
  const session = await openDummySession(bytes)
  try {
    const results = []
    for (const pixels of dummyPictures(input.size))
      results.push(await session.run({ [input.name]: inputTensor(pixels, input, input.size) }))
    return results
  } catch (error) {
    throw unsupported(
      `it does not run on a picture of ${input.size.width}x${input.size.height}: ${runtimeReason(error)}`,
      error
    )
  } finally {
    await session.release()
  }
}
