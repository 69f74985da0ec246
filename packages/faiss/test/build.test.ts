import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { buildAddon } from '../build.mjs'

// Shell script that acts as a compiler: prints a version like a compiler, counts its calls, and
// writes the file of -o.
const fakeCompiler = (calls: string, version: string) => `#!/bin/sh
case "$1" in
  --version) echo "${version}"; exit 0 ;;
  -print-file-name=libopenblas.so) echo /fake/libopenblas.so; exit 0 ;;
  -print-file-name=*) echo "\${1#*=}"; exit 0 ;;
esac
echo "$@" >> ${calls}
while [ $# -gt 0 ]; do if [ "$1" = -o ]; then echo object > "$2"; fi; shift; done
`

describe('building the addon', () => {
  let dir: string
  let env: Record<string, string>
  const lines: string[] = []
  const build = () =>
    buildAddon({ env, outDir: path.join(dir, 'out'), log: (line) => lines.push(line) })
  const writeCompiler = async (text: string) => {
    await writeFile(path.join(dir, 'c++'), text)
    await chmod(path.join(dir, 'c++'), 0o755)
  }
  const writeFaiss = async (minor: number, library: string) => {
    await mkdir(path.join(dir, 'faiss/include/faiss'), { recursive: true })
    await mkdir(path.join(dir, 'faiss/lib64'), { recursive: true })
    const version = `#define FAISS_VERSION_MAJOR 1\n#define FAISS_VERSION_MINOR ${minor}\n#define FAISS_VERSION_PATCH 0\n`
    await writeFile(path.join(dir, 'faiss/include/faiss/Index.h'), version)
    await writeFile(path.join(dir, 'faiss/lib64/libfaiss.a'), library)
  }

  beforeEach(async () => {
    dir = temporaryFolder('build')
    env = { CXX: path.join(dir, 'c++'), FAISS_ROOT: path.join(dir, 'faiss') }
    lines.length = 0
    await writeCompiler(fakeCompiler(path.join(dir, 'calls'), 'fake 1'))
    await writeFaiss(14, 'archive')
  })

  it('compiles each source with the Faiss of FAISS_ROOT, links once, and then does nothing', async () => {
    expect(await build()).toMatchObject({ built: true })
    expect(lines[0]).toContain('Faiss 1.14.0')
    const calls = (await readFile(path.join(dir, 'calls'), 'utf8')).trim().split('\n')
    expect(calls.filter((call) => call.includes(' -shared '))).toHaveLength(1)
    expect(
      calls
        .filter((call) => call.includes(' -c '))
        .every((call) => call.includes(`-I${dir}/faiss/include`))
    ).toBe(true)
    expect(await build()).toMatchObject({ built: false, seconds: 0 })
    expect((await readFile(path.join(dir, 'calls'), 'utf8')).trim().split('\n')).toHaveLength(
      calls.length
    )
  })

  it('builds again when the compiler, the library, or the result has changed', async () => {
    await build()
    await writeCompiler(fakeCompiler(path.join(dir, 'calls'), 'fake 2'))
    expect(await build()).toMatchObject({ built: true })
    await writeFaiss(14, 'another archive')
    expect(await build()).toMatchObject({ built: true })
    await rm(path.join(dir, 'out/likeness_faiss.node'))
    expect(await build()).toMatchObject({ built: true })
    expect(await build()).toMatchObject({ built: false })
  })

  it('says in one line what to install', async () => {
    await rm(path.join(dir, 'faiss/lib64/libfaiss.a'))
    await expect(build()).rejects.toThrow(/^FAISS_ROOT: no libfaiss in .*$/)
    await rm(path.join(dir, 'faiss/include'), { recursive: true })
    await expect(build()).rejects.toThrow(/^FAISS_ROOT: no include\/faiss\/Index.h in .*$/)
    env.CXX = path.join(dir, 'nothing')
    await expect(build()).rejects.toThrow(
      /^no C\+\+ compiler .*: apt-get install g\+\+, or set CXX$/
    )
  })

  it('says in one line which source failed and keeps the addon that was there', async () => {
    await build()
    await writeCompiler(
      `${fakeCompiler(path.join(dir, 'calls'), 'fake 3')}\necho "pool.cc:1: error: broken" >&2\nexit 1\n`
    )
    await expect(build()).rejects.toThrow(
      /^the native addon did not build: pool.cc:1: error: broken$/
    )
    expect(await readFile(path.join(dir, 'out/likeness_faiss.node'), 'utf8')).toBe('object\n')
  })

  it('is up to date after it was built from the real sources', async () => {
    // Builds the addon when there is none. Then the measured time is the time of the compiler.
    await buildAddon({ log: () => undefined })
    expect(await buildAddon({ log: () => undefined })).toMatchObject({ built: false })
  }, 600_000)
})
