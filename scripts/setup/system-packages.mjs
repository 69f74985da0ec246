// System packages. A missing package is found through its parts (a command, a header, a library),
// and installed through apt where that is allowed.
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { SetupError, say, timed } from './report.mjs'

export function findCommand(name, path = process.env.PATH ?? '') {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

const hasAny = (files) => files.some((file) => existsSync(file))
const libraryFolders = () => [
  '/usr/lib',
  '/usr/lib64',
  '/usr/local/lib',
  ...readdirSync('/usr/lib')
    .filter((name) => name.includes('-linux-'))
    .map((name) => `/usr/lib/${name}`)
]
const hasLibrary = (name) =>
  hasAny(
    libraryFolders().flatMap((folder) => [`${folder}/lib${name}.so`, `${folder}/lib${name}.a`])
  )
const faissHeader = (root) => `${root}/include/faiss/Index.h`
/** Returns the browser of the page tests; undefined without a browser. */
export const findBrowser = () =>
  process.env.CHROMIUM_PATH ??
  ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
    .map((name) => findCommand(name))
    .find(Boolean)

/** Debian's name of each package, and a check that the package is not needed. */
const packages = [
  { name: 'g++', isThere: () => findCommand(process.env.CXX || 'c++') !== undefined },
  {
    name: 'libfaiss-dev',
    isThere: () =>
      hasAny([process.env.FAISS_ROOT, '/usr', '/usr/local'].filter(Boolean).map(faissHeader))
  },
  {
    name: 'libopenblas-dev',
    isThere: () => process.env.FAISS_ROOT !== undefined || hasLibrary('openblas')
  },
  { name: 'redis-server', isThere: () => findCommand('redis-server') !== undefined }
]
const browserPackage = { name: 'chromium', isThere: () => findBrowser() !== undefined }

export const missingPackages = ({ browser }) =>
  [...packages, ...(browser ? [browserPackage] : [])]
    .filter((entry) => !entry.isThere())
    .map((entry) => entry.name)

/** Command prefix for root without a question: [] as root, undefined when root is not available. */
function rootPrefix() {
  if (process.getuid?.() === 0) return []
  if (findCommand('sudo') === undefined) return undefined
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n']
  return process.stdin.isTTY ? ['sudo'] : undefined
}

const candidate = (name) => {
  const policy =
    spawnSync('apt-cache', ['policy', name], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' }
    }).stdout ?? ''
  const version = /Candidate: (\S+)/.exec(policy)?.[1]
  // Ubuntu's chromium packages only fetch a snap, which containers cannot run.
  return version === undefined || version === '(none)' || version.includes('snap')
    ? undefined
    : version
}

// Debian starts a redis service when the package is installed. Our redis is a child of the stack,
// so services are told to stay down meanwhile.
const installScript = `set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 "$@"`

function asRoot(prefix, command) {
  const [file, ...args] = [
    ...prefix,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'NEEDRESTART_SUSPEND=1',
    'LC_ALL=C',
    ...command
  ]
  const result = spawnSync(file, args, { stdio: ['inherit', 2, 2] })
  if (result.status !== 0)
    throw new SetupError(
      `${command.slice(0, 2).join(' ')} failed: install ${missingPackages({ browser: false }).join(' ')} by hand and try again`
    )
}

export function installSystemPackages({ browser }) {
  let missing = missingPackages({ browser })
  if (missing.length === 0) return
  const prefix = findCommand('apt-get') === undefined ? undefined : rootPrefix()
  const byHand = `please install ${missing.join(' ')} (on Debian or Ubuntu: sudo apt-get install ${missing.join(' ')}) and try again`
  if (prefix === undefined) throw new SetupError(byHand)
  if (missing.some((name) => candidate(name) === undefined))
    timed('reading the package lists (apt-get update)', () =>
      asRoot(prefix, ['apt-get', 'update', '-q'])
    )
  if (missing.includes('chromium') && candidate('chromium') === undefined) {
    say(
      'NO BROWSER: this system offers chromium only as a snap or not at all; the browser tests are skipped. Install Chrome or Chromium to run them.'
    )
    missing = missing.filter((name) => name !== 'chromium')
  }
  if (missing.some((name) => candidate(name) === undefined)) throw new SetupError(byHand)
  if (missing.length > 0)
    timed(`installing ${missing.join(' ')} (apt-get)`, () =>
      asRoot(prefix, ['sh', '-c', installScript, 'install', ...missing])
    )
}
