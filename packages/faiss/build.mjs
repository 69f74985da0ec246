// Builds the native addon with one call of the C++ compiler per source and one to link; does nothing when nothing changed.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const packageDir = path.dirname(fileURLToPath(import.meta.url))
const sourceDir = path.join(packageDir, 'native')
const compileFlags = [
  '-std=c++20',
  '-O3',
  '-fPIC',
  '-fopenmp',
  '-fvisibility=hidden',
  '-Wall',
  '-Wno-psabi',
  '-Werror=switch',
  '-DNAPI_VERSION=8'
]

/** A build that cannot go on; the message is one line that says what to install or which source failed. */
export class BuildError extends Error {}

/**
 * Builds `likeness_faiss.node` unless it is there and sources, flags, compiler and Faiss are the same as when it was made.
 * @param {{ log?: (line: string) => void, env?: Record<string, string | undefined>, outDir?: string }} options
 * @returns {Promise<{ built: boolean, seconds: number, file: string }>} throws BuildError
 */
export async function buildAddon({
  log = console.log,
  env = process.env,
  outDir = path.join(packageDir, 'build')
} = {}) {
  const startedAt = performance.now()
  const compiler = env.CXX || 'c++'
  const compilerVersion = await findCompiler(compiler)
  const faiss = await findFaiss(env.FAISS_ROOT, compiler)
  const linkFlags = [
    '-shared',
    '-fopenmp',
    '-Wl,-z,nodelete',
    '-Wl,--gc-sections',
    ...faiss.libs,
    await findBlas(compiler)
  ]
  const plan = { compiler, faiss, linkFlags, sources: await listSources() }
  const hash = await hashPlan(plan, compilerVersion)
  const file = path.join(outDir, 'likeness_faiss.node')
  const stamp = path.join(outDir, 'likeness_faiss.hash')
  if (existsSync(file) && (await readIfThere(stamp)) === hash)
    return { built: false, seconds: 0, file }

  log(`building the native addon with Faiss ${faiss.version} (once, under a minute)`)
  await mkdir(outDir, { recursive: true })
  const temporary = await mkdtemp(path.join(outDir, 'tmp-'))
  try {
    await compileAndLink(plan, temporary)
    await rename(path.join(temporary, 'likeness_faiss.node'), file)
    await writeFile(path.join(temporary, 'hash'), hash)
    await rename(path.join(temporary, 'hash'), stamp)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  const seconds = (performance.now() - startedAt) / 1000
  log(`built the native addon in ${seconds.toFixed(1)} s`)
  return { built: true, seconds, file }
}

async function findCompiler(compiler) {
  try {
    return (await run(compiler, ['--version'])).stdout
  } catch (cause) {
    throw new BuildError(`no C++ compiler (${compiler}): apt-get install g++, or set CXX`, {
      cause
    })
  }
}

async function findFaiss(root, compiler) {
  const include = root ? [path.join(root, 'include')] : ['/usr/include', '/usr/local/include']
  const header = include
    .map((dir) => path.join(dir, 'faiss/Index.h'))
    .find((candidate) => existsSync(candidate))
  if (!header) {
    throw new BuildError(
      root
        ? `FAISS_ROOT: no include/faiss/Index.h in ${root}`
        : 'Faiss is missing: apt-get install libfaiss-dev'
    )
  }
  const text = await readFile(header, 'utf8')
  const number = (part) => new RegExp(`FAISS_VERSION_${part}\\s+(\\d+)`).exec(text)?.[1] ?? '?'
  const library = root ? findIn(root) : await findLibrary(compiler, 'faiss')
  if (!library) {
    throw new BuildError(
      root
        ? `FAISS_ROOT: no libfaiss in ${root}/lib or lib64`
        : 'libfaiss is missing: apt-get install libfaiss-dev'
    )
  }
  const libs = library.endsWith('.so')
    ? [library, `-Wl,-rpath,${path.dirname(library)}`]
    : ['-Wl,-z,muldefs', library]
  return {
    version: `${number('MAJOR')}.${number('MINOR')}.${number('PATCH')}`,
    include: path.dirname(path.dirname(header)),
    library,
    libs
  }
}

function findIn(root) {
  const places = ['lib', 'lib64'].flatMap((dir) =>
    ['libfaiss.a', 'libfaiss.so'].map((name) => path.join(root, dir, name))
  )
  return places.find((place) => existsSync(place))
}

async function findBlas(compiler) {
  const library = await findLibrary(compiler, 'openblas')
  if (!library) throw new BuildError('OpenBLAS is missing: apt-get install libopenblas-dev')
  return library
}

/** The compiler knows the library folders of its platform: it prints a full path for what it finds, else the bare name. */
async function findLibrary(compiler, name) {
  for (const file of [`lib${name}.a`, `lib${name}.so`]) {
    if (name === 'openblas' && file.endsWith('.a')) continue
    const { stdout } = await run(compiler, [`-print-file-name=${file}`])
    if (path.isAbsolute(stdout.trim())) return stdout.trim()
  }
  return undefined
}

/** Paths from `native/`, of every room: what is compiled, and what a new build is decided by. */
async function listSources() {
  const names = await readdir(sourceDir, { recursive: true })
  return names.filter((name) => /\.(cc|h)$/.test(name)).sort()
}

async function hashPlan({ compiler, faiss, linkFlags, sources }, compilerVersion) {
  const hash = createHash('sha256')
  const add = (value) => hash.update(value).update('\0')
  add(JSON.stringify([process.arch, compiler, compilerVersion, compileFlags, linkFlags, faiss]))
  for (const name of sources) add(name).update(await readFile(path.join(sourceDir, name)))
  add(await readFile(faiss.library))
  add(await readFile(fileURLToPath(import.meta.url)))
  return hash.digest('hex')
}

async function compileAndLink({ compiler, faiss, linkFlags, sources }, outDir) {
  const napi = createRequire(import.meta.url)('node-api-headers').include_dir
  const includes = [
    `-I${sourceDir}`,
    `-I${napi}`,
    ...(faiss.include === '/usr/include' ? [] : [`-I${faiss.include}`])
  ]
  const waiting = sources.filter((name) => name.endsWith('.cc'))
  const objectOf = (name) => path.join(outDir, `${name.replaceAll(path.sep, '-')}.o`)
  const objects = waiting.map(objectOf)
  const worker = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      await compile(compiler, [
        ...compileFlags,
        ...includes,
        '-c',
        path.join(sourceDir, name),
        '-o',
        objectOf(name)
      ])
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  await compile(compiler, [
    '-o',
    path.join(outDir, 'likeness_faiss.node'),
    ...objects,
    ...linkFlags
  ])
}

async function compile(compiler, args) {
  try {
    await run(compiler, args, { maxBuffer: 1 << 26 })
  } catch (cause) {
    const first =
      String(cause.stderr ?? cause)
        .split('\n')
        .find((line) => /error|undefined/.test(line)) ?? String(cause)
    throw new BuildError(`the native addon did not build: ${first.trim()}`, { cause })
  }
}

async function readIfThere(file) {
  return existsSync(file) ? readFile(file, 'utf8') : undefined
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const { built, file } = await buildAddon()
    if (!built) console.log(`the native addon is up to date: ${path.relative(process.cwd(), file)}`)
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
