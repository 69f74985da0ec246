// Prepares everything that a command needs and a fresh clone lacks. The work is done once, and
// later checks are quick.
import { buildAddon } from './addon.mjs'
import { checkNodeVersion } from './node-version.mjs'
import { installNpmDependencies } from './npm-dependencies.mjs'
import { installSystemPackages } from './system-packages.mjs'

/** Rejects with a SetupError that names the user's next step. */
export async function prepareClone({ browser }) {
  checkNodeVersion(process.versions.node)
  installSystemPackages({ browser })
  installNpmDependencies()
  await buildAddon()
}
