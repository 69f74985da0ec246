import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const entry = new URL('../src/index.ts', import.meta.url).href
const addonFile = fileURLToPath(new URL('../build/likeness_faiss.node', import.meta.url))

/** Runs a script in a separate Node process; a crash shows as a signal. */
async function runScript(
  script: string
): Promise<{ code: number | null; signal: string | null; out: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (out += chunk))
  return new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, out }))
  )
}

const makeIndex = `
  import { FaissIndex, configurePool } from '${entry}'
  configurePool({ threads: 2 })
  const vectors = Float32Array.from({ length: 20_000 * 64 }, (_, i) => Math.sin(i * i))
  const index = FaissIndex.create({ kind: 'hnsw', dim: 64, metric: 'l2' })
`

describe('a process that used the addon', () => {
  it('ends by itself when nothing is pending, the index open or closed', async () => {
    const script = `${makeIndex}
      await index.add(vectors.subarray(0, 6400))
      console.log((await index.search(vectors.subarray(0, 64), { k: 1 })).ids[0])`
    expect(await runScript(script)).toEqual({ code: 0, signal: null, out: '0\n' })
    expect(await runScript(`${script}; index.close()`)).toEqual({
      code: 0,
      signal: null,
      out: '0\n'
    })
  })

  it('stays alive until a pending operation has settled', async () => {
    const script = `${makeIndex}; index.add(vectors.subarray(0, 64 * 500)).then(() => console.log('added'))`
    expect(await runScript(script)).toEqual({ code: 0, signal: null, out: 'added\n' })
  })

  it('leaves at once on process.exit while work runs and waits, without a crash', async () => {
    const script = `${makeIndex}
      for (let i = 0; i < 3; i++) index.add(vectors)
      for (let i = 0; i < 50; i++) index.search(vectors, { k: 5 })
      setTimeout(() => { console.log('leaving'); process.exit(7) }, 100)`
    expect(await runScript(script)).toEqual({ code: 7, signal: null, out: 'leaving\n' })
  })

  it('survives the end of a worker thread in the middle of its work, and can load the addon again', async () => {
    const worker = `
      const { parentPort } = require('node:worker_threads')
      const addon = require(${JSON.stringify(addonFile)})
      const index = addon.createHnsw(64, false, 'f32', 0, new Float32Array(0), 0, 32, 100)
      const vectors = new Float32Array(20000 * 64).map((_, i) => Math.sin(i * i))
      addon.add(index, vectors)
      addon.add(index, vectors)
      parentPort.postMessage('working')`
    const script = `
      import { Worker } from 'node:worker_threads'
      for (let round = 0; round < 3; round++) {
        const worker = new Worker(${JSON.stringify(worker)}, { eval: true, execArgv: [] })
        await new Promise((resolve) => worker.once('message', resolve))
        await worker.terminate()
      }
      ${makeIndex.replace('configurePool({ threads: 2 })', '')}
      await index.add(vectors.subarray(0, 64))
      console.log(index.ntotal)`
    expect(await runScript(script)).toEqual({ code: 0, signal: null, out: '1\n' })
  })

  it('keeps its pool to the threads it was given', async () => {
    const script = `${makeIndex}
      import { readdirSync } from 'node:fs'
      const count = () => readdirSync('/proc/self/task').length
      const before = count()
      await Promise.all(Array.from({ length: 8 }, () => index.add(vectors.subarray(0, 64 * 300))))
      console.log(count() - before)`
    expect(await runScript(script)).toEqual({ code: 0, signal: null, out: '2\n' })
  })
})
