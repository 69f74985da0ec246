// Asks the parent process to install and build missing parts before they are needed.
import { UserError } from './user-error.ts'

interface Answer {
  prepared: boolean
  problem: string | null
}

let preparing: Promise<void> | undefined

/**
 * UserError with the manual step. Resolves at once where the program started without its launcher.
 */
export function prepareClone(): Promise<void> {
  return (preparing ??= ask())
}

async function ask(): Promise<void> {
  if (process.send === undefined) return
  const answered = new Promise<Answer>((resolve) =>
    process.once('message', (answer) => resolve(answer as Answer))
  )
  process.send({ prepare: true })
  const { prepared, problem } = await answered
  if (!prepared) throw new UserError(problem ?? 'something is missing that could not be installed')
}
