// The native addon over Faiss; its build skips itself when nothing changed.
import { BuildError, buildAddon as build } from '../../packages/faiss/build.mjs'
import { say, SetupError } from './report.mjs'

export async function buildAddon() {
  try {
    await build({ log: say })
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    throw new SetupError(error.message)
  }
}
