import { spawn } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { readForeignVectors } from './foreign-vectors.ts'
import { everyForm, everyKind, indexOf } from './testing/every-kind.ts'
import { wrapInIdMap } from './testing/foreign-files.ts'
import { gaussianVectors } from './testing/seeded-vectors.ts'

const dim = 12
const rows = 60
const vectors = gaussianVectors(1, rows, dim)
const names = { flat: 'Flat', hnsw: 'HNSW,Flat', ivf: 'IVF,Flat' }
let dir: string
const at = (name: string) => path.join(dir, name)

beforeEach(async () => {
  dir = temporaryFolder('foreign')
})

/** Row of each id, in the order of the file. */
function rowsById(found: {
  ids: ArrayLike<number | bigint>
  vectors: Float32Array
}): Map<number, Float32Array> {
  return new Map(
    Array.from(found.ids, (id, i) => [Number(id), found.vectors.subarray(i * dim, (i + 1) * dim)])
  )
}

describe.each(everyKind)('a plain file of $kind over $metric', ({ kind, metric }) => {
  it('gives back every id and vector', async () => {
    await (await indexOf({ kind, metric }, vectors, dim)).exportTo(at('plain'))
    const found = await readForeignVectors(at('plain'))
    expect(found).toMatchObject({ kind: names[kind], dim, metric })
    expect(found.ids).toHaveLength(rows)
    const byId = rowsById(found)
    for (let row = 0; row < rows; row++)
      expect(byId.get(row)).toEqual(vectors.subarray(row * dim, (row + 1) * dim))
    expect(await readdir(dir)).toEqual(['plain'])
  })

  it('gives the ids of an id map around it, also those beyond a double', async () => {
    await (await indexOf({ kind, metric }, vectors, dim)).exportTo(at('plain'))
    await wrapInIdMap(
      at('plain'),
      Array.from({ length: rows }, (_, i) => BigInt(1000 + i)),
      at('mapped')
    )
    const mapped = await readForeignVectors(at('mapped'))
    expect(mapped.kind).toBe(`IDMap,${names[kind]}`)
    const byId = rowsById(mapped)
    for (let row = 0; row < rows; row++)
      expect(byId.get(1000 + row)).toEqual(vectors.subarray(row * dim, (row + 1) * dim))
    await wrapInIdMap(
      at('plain'),
      Array.from({ length: rows }, (_, i) => 2n ** 62n + BigInt(i)),
      at('huge')
    )
    const huge = await readForeignVectors(at('huge'))
    expect(Array.from(huge.ids as BigInt64Array).sort()[0]).toBe(2n ** 62n)
  })

  it('is refused when it is cut off anywhere', async () => {
    await (await indexOf({ kind, metric }, vectors, dim)).exportTo(at('plain'))
    const bytes = await readFile(at('plain'))
    for (let cut = 0; cut < bytes.length; cut += Math.ceil(bytes.length / 100)) {
      await writeFile(at('cut'), bytes.subarray(0, cut))
      await expect(readForeignVectors(at('cut')), `cut at ${cut}`).rejects.toMatchObject({
        name: 'FaissError',
        code: 'data_corrupt'
      })
    }
  })
})

describe.each(everyForm)(
  'a plain file of $storage rows of $kind over $metric',
  ({ kind, metric, storage }) => {
    it('gives back the rows as the index itself does', async () => {
      const index = await indexOf({ kind, metric, storage }, vectors, dim)
      await index.exportTo(at('plain'))
      const byId = rowsById(await readForeignVectors(at('plain')))
      const decoded = await index.reconstructRange(0, rows)
      for (let row = 0; row < rows; row++)
        expect(byId.get(row)).toEqual(decoded.subarray(row * dim, (row + 1) * dim))
    })
  }
)

describe('a file that is not what it says', () => {
  it('is refused by name when it is another kind of file or of index', async () => {
    await writeFile(at('text'), 'IxHeGarbage')
    await expect(readForeignVectors(at('text'))).rejects.toMatchObject({
      code: 'unsupported_index',
      message: expect.stringContaining('IxHe')
    })
    await writeFile(at('bytes'), new Uint8Array(100))
    await expect(readForeignVectors(at('bytes'))).rejects.toMatchObject({
      code: 'unsupported_index'
    })
    await expect(readForeignVectors(at('missing'))).rejects.toMatchObject({ code: 'faiss_failed' })
    await expect(readForeignVectors(dir)).rejects.toMatchObject({ code: 'faiss_failed' })
    await expect(readForeignVectors('')).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  it('is refused when its header counts a trillion rows or dimensions', async () => {
    await (await indexOf({ kind: 'flat', metric: 'l2' }, vectors, dim)).exportTo(at('plain'))
    const bytes = await readFile(at('plain'))
    const rowsAbsurd = Buffer.from(bytes)
    rowsAbsurd.writeBigInt64LE(2n ** 40n, 8)
    await writeFile(at('rows'), rowsAbsurd)
    await expect(readForeignVectors(at('rows'))).rejects.toMatchObject({ code: 'data_corrupt' })
    const dimAbsurd = Buffer.from(bytes)
    dimAbsurd.writeInt32LE(2 ** 30, 4)
    await writeFile(at('dim'), dimAbsurd)
    await expect(readForeignVectors(at('dim'))).rejects.toMatchObject({ code: 'unsupported_index' })
  })

  it('never ends the process: random changes of each kind are read or refused', async () => {
    const files: string[] = []
    for (const { kind, metric, storage } of everyForm.filter((form) => form.metric === 'l2')) {
      const plain = at(`${kind}-${metric}-${storage}`)
      await (await indexOf({ kind, metric, storage }, vectors, dim)).exportTo(plain)
      await wrapInIdMap(
        plain,
        Array.from({ length: rows }, (_, i) => BigInt(i * 3)),
        `${plain}-mapped`
      )
      files.push(...(storage === 'f32' ? [plain, `${plain}-mapped`] : [plain]))
    }
    const changes = Number(process.env['TEST_ROUNDS'] ?? 1000)
    const { code, signal, out } = await runFuzz(changes, files)
    expect({ code, signal }, out).toEqual({ code: 0, signal: null })
    console.log(out.trim())
    const { read, refused, strange, peakMiB } = JSON.parse(out) as Record<string, number>
    expect(read! + refused!).toBe(changes * files.length)
    expect(strange).toBe(0)
    expect(refused).toBeGreaterThan((changes / 10) * files.length)
    expect(peakMiB).toBeLessThan(1024)
  }, 300_000)
})

async function runFuzz(
  changes: number,
  files: string[]
): Promise<{ code: number | null; signal: string | null; out: string }> {
  const script = new URL('./testing/fuzz-foreign-files.ts', import.meta.url)
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', script.pathname, String(changes), ...files],
    {
      stdio: ['ignore', 'pipe', 'pipe']
    }
  )
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (out += chunk))
  return new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, out }))
  )
}
