import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'

const source = import.meta.dirname

test('the ONNX runtime is loaded without telemetry: it leaves no file and no id behind', () => {
  const home = temporaryFolder('telemetry')
  const script = `
    const { InferenceSession } = await import(${JSON.stringify(join(source, 'onnx-runtime.ts'))})
    await InferenceSession.create('/nothing').catch(() => undefined)`
  execFileSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script],
    { env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, XDG_CACHE_HOME: home } }
  )
  expect(readdirSync(home).filter((name) => !name.startsWith('tsx-'))).toEqual([])
})

test('no other file loads the ONNX runtime', () => {
  const loading = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) =>
      /^(?:im|ex)port (?!type).* from 'onnxruntime-node'/m.test(
        readFileSync(join(source, file), 'utf8')
      )
    )
  expect(loading).toEqual(['onnx-runtime.ts'])
})

test('half precision is kept as bits, also where there is a Float16Array', () => {
  const script = `
    globalThis.Float16Array ??= class Float16Array extends Uint16Array {}
    const { Tensor } = await import(${JSON.stringify(join(source, 'onnx-runtime.ts'))})
    const { data } = new Tensor('float16', new Uint16Array(2), [2])
    console.log(data.constructor.name, typeof Float16Array)`
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script]
  expect(execFileSync(process.execPath, args, { encoding: 'utf8' })).toBe('Uint16Array function\n')
})
