// Makes a model's folder complete or not at all, and reports the step of a failure.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { appError, isAppError } from '@likeness/shared/errors'
import { runtimeReason } from '../runtime/runtime-reason.ts'

export const manifestName = 'manifest.json'

/**
 * `fill` gets an empty folder that becomes `modelsDir/name`; the folder is removed after a failure.
 * `invalid_request` when a model of this name exists.
 */
export async function withNewFolder<T>(
  { name, modelsDir }: { name: string; modelsDir: string },
  fill: (work: string) => Promise<T>
): Promise<T> {
  const target = path.join(modelsDir, name)
  if (existsSync(target))
    throw appError(
      'invalid_request',
      `there is a model ${name} already: remove it first, or give another name`
    )
  await mkdir(modelsDir, { recursive: true })
  const work = await mkdtemp(path.join(modelsDir, `.${name}-${randomUUID().slice(0, 8)}-`))
  try {
    const result = await fill(work)
    await rename(work, target)
    return result
  } catch (error) {
    await rm(work, { recursive: true, force: true })
    throw error
  }
}

/** Puts the step's name before the reason of a failure. */
export async function inStep<T>(step: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw appError(
      isAppError(error) ? error.code : 'internal',
      `step ${step}: ${runtimeReason(error)}`,
      { cause: error, detail: { step } }
    )
  }
}
