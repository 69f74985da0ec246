// Checks that Node is at least the oldest supported version.
import { SetupError } from './report.mjs'

const oldest = [20, 9]

export function checkNodeVersion(version) {
  const [major, minor] = version.split('.').map(Number)
  const isOldEnough = major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
  if (!isOldEnough)
    throw new SetupError(`Node ${version} is too old: install Node ${oldest.join('.')} or newer`)
}
