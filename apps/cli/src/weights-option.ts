// `--weights kind=0.5,instance=1`: the weights of parts on the command line, which are a value of
// the gallery's yaml.
import { weightsSchema } from '@likeness/shared/contract/embedding-parts'
import { UserError } from './user-error.ts'

/** Returns the override of the yaml, none when the option is absent. UserError for another form. */
export function weightsOverride(text: string | undefined): string[] {
  if (text === undefined) return []
  const pairs = text.split(',').map((pair): [string, number] => {
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*([^\s]+)\s*$/.exec(pair) ?? []
    if (name === undefined) throw new UserError(`--weights ${text}: write PART=NUMBER,PART=NUMBER`)
    return [name, Number(value)]
  })
  const parsed = weightsSchema.safeParse(Object.fromEntries(pairs))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new UserError(`--weights ${text}: ${issue!.path.join('.')} ${issue!.message}`)
  }
  return [`Likeness.weights=${JSON.stringify(parsed.data)}`]
}
