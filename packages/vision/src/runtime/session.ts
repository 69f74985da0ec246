// Opens a prepared model on the first execution provider that works, and reports that provider.
import { existsSync, readFileSync } from 'node:fs'
import { appError, messageOf } from '@likeness/shared/errors'
import * as ort from '../onnx-runtime.ts'

export type LogFn = (fields: Record<string, unknown>, message: string) => void

export interface OpenSessionOptions {
  /** The model's file, and its name for the log. */
  model: { path: string; manifest: { name: string } }
  /**
   * Providers to try in this order: `cuda`, `webgpu`, `cpu`... Only the named providers are ever
   * used.
   */
  executionProviders: readonly string[]
  /** Threads of a run; sessions in several processes beat a single session with several threads. */
  threads: number
  log?: LogFn | undefined
}

export interface OpenSession {
  session: ort.InferenceSession
  provider: string
}

/** Rejects with `embedder_unavailable` naming every provider's reason when all providers fail. */
export async function openSession({
  model,
  executionProviders,
  threads,
  log
}: OpenSessionOptions): Promise<OpenSession> {
  if (!executionProviders.length) throw appError('invalid_request', 'no execution provider named')
  const reasons: string[] = []
  for (const provider of executionProviders) {
    try {
      // A single provider at a time: from a list, the runtime would choose without reporting its
      // choice.
      const session = await ort.InferenceSession.create(model.path, {
        executionProviders: [provider],
        graphOptimizationLevel: 'all',
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        ...exactProducts(),
        logSeverityLevel: 3
      })
      log?.({ provider, model: model.manifest.name, threads }, 'model loaded')
      return { session, provider }
    } catch (error) {
      reasons.push(`${provider}: ${messageOf(error).trim()}`)
      log?.({ provider, err: error }, 'execution provider not available')
    }
  }
  throw appError('embedder_unavailable', `no execution provider works: ${reasons.join('; ')}`)
}

/** Session options with which every run of an int8 graph gives the same numbers on every machine. */
export const exactProducts = () =>
  overflowsInt8() ? { extra: { session: { x64quantprecision: '1' } } } : {}

const processorFile = '/proc/cpuinfo'

/**
 * True when the processor lacks VNNI. Such x64 processors add products of bytes in 16 bits, which
 * overflow; the runtime then needs a slower way.
 */
export function overflowsInt8(): boolean {
  if (process.arch !== 'x64') return false
  return !(
    existsSync(processorFile) && /\bavx(512)?_vnni\b/.test(readFileSync(processorFile, 'utf8'))
  )
}
