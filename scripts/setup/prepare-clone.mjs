// Everything that a command needs and a fresh clone does not have; done once, and quick to see that it was.
import { buildAddon } from './addon.mjs'
import { checkNodeVersion } from './node-version.mjs'
import { installNpmDependencies } from './npm-dependencies.mjs'
import { installSystemPackages } from './system-packages.mjs'

/** Rejects with a SetupError that says what the user has to do. */
export async function prepareClone({ browser }) {
  checkNodeVersion(process.versions.node)
  installSystemPackages({ browser })
  installNpmDependencies()
  await buildAddon()
}
