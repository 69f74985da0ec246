// A model's folder is there whole or not at all, and a failure says in which step.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { appError, isAppError, messageOf } from '@likeness/shared/errors'

export const manifestName = 'manifest.json'

/** `fill` is given an empty folder that becomes `modelsDir/name`; it is removed when it fails. `invalid_request` when there is a model of this name. */
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

/** A failure gets the step's name before its reason. */
export async function inStep<T>(step: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw appError(
      isAppError(error) ? error.code : 'internal',
      `step ${step}: ${messageOf(error)}`,
      { cause: error, detail: { step } }
    )
  }
}
