// Checks the class names of a collection's settings against the classes of the embed-workers' model.
import type { Enrolment } from '@likeness/shared/contract/picture-settings'
import { modelOf } from '@likeness/shared/contract/profile'
import type { EmbedderAddress } from '@likeness/shared/contract/work'
import { nearestNames } from '@likeness/shared/data/nearest-name'
import { appError } from '@likeness/shared/errors'
import { toldOfModel } from './told-of-model.ts'

type ClassSettings = Partial<Pick<Enrolment, 'classes' | 'without_classes'>>

const mostNear = 3
const mostShown = 20

/**
 * invalid_request for a class that the model does not have: it would match no subject. The check is
 * left out where no embed-worker of this model says its classes.
 */
export function checkClasses(
  { classes = [], without_classes: without = [] }: ClassSettings,
  embeddingVersion: string,
  embedders: readonly EmbedderAddress[]
): void {
  const model = modelOf(embeddingVersion)
  const known = toldOfModel(embedders, embeddingVersion, 'classes')
  if (known === undefined) return
  for (const [setting, names] of Object.entries({ classes, without_classes: without })) {
    const missing = names.find((name) => !known.includes(name))
    if (missing !== undefined)
      throw appError(
        'invalid_request',
        `settings.${setting}: the model ${model} has no class ${JSON.stringify(missing)}; ${hintOf(missing, known)}`,
        { detail: { setting, missing, near: nearestNames(missing, known, mostNear) } }
      )
  }
}

function hintOf(missing: string, known: readonly string[]): string {
  const near = nearestNames(missing, known, mostNear)
  if (near.length > 0) return `near it: ${near.join(', ')}`
  const more = known.length > mostShown ? `, and ${known.length - mostShown} more` : ''
  return `its classes: ${known.slice(0, mostShown).join(', ')}${more} (\`likeness model show NAME --json\` lists all)`
}
