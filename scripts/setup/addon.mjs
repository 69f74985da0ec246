// Builds the native addon over Faiss; the build skips itself when it is up to date.
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
