// Fields of a search form, and bodies that are packed.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { answerOf, api, path, picture } from '../test-support/searched-marks.ts'

async function send(...fields: [string, string | Blob][]) {
  const form = new FormData()
  for (const [name, value] of fields) form.append(name, value)
  return api.fetch(path, { method: 'POST', body: form })
}
const problemOf = async (response: Response) => {
  const { code, detail } = (await response.json()) as { code: string; detail: string }
  return `${response.status} ${code}: ${detail}`
}

test('the fields of a search may stand after its picture', async () => {
  await answerOf(await send(['image', picture], ['k', '2'], ['score_thres', '0']))
  expect(api.replica.queries).toMatchObject([{ k: 2 }])
})

test('a field that is given twice is refused by its name, also when it is empty', async () => {
  expect(await problemOf(await send(['image', picture], ['k', '2'], ['k', '3']))).toBe(
    '400 invalid_request: field "k" is given twice'
  )
  expect(await problemOf(await send(['group_by', ''], ['group_by', ''], ['image', picture]))).toBe(
    '400 invalid_request: field "group_by" is given twice'
  )
  expect(
    await problemOf(
      await api.fetch('/v1/collections/marks/items/x/compare', {
        method: 'POST',
        body: (() => {
          const form = new FormData()
          form.append('box', '[0,0,1,1]')
          form.append('box', '[0,0,1,1]')
          return form
        })()
      })
    )
  ).toBe('400 invalid_request: field "box" is given twice')
})

test.each(['__proto__', 'constructor', 'toString'])('a field named %s is unknown', async (name) => {
  expect(await problemOf(await send(['image', picture], [name, 'x']))).toMatch(
    /^400 invalid_request: .*(unknown field|Unrecognized key)/
  )
})

test('texts that are not UTF-8 are refused, not changed: in forms and in JSON', async () => {
  const part = (name: string, bytes: Buffer) =>
    Buffer.concat([
      Buffer.from(`--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n`),
      bytes,
      Buffer.from('\r\n')
    ])
  const post = (place: string, type: string, ...parts: Buffer[]) =>
    api.fetch(place, {
      method: 'POST',
      body: new Uint8Array(Buffer.concat(parts)),
      headers: { 'content-type': type }
    })
  const latin1 = Buffer.from('gr\u00fcn', 'latin1')
  for (const [place, name] of [
    ['/v1/collections/marks/images', 'label'],
    ['/v1/collections/marks/imports', 'root'],
    [path, 'item_id']
  ] as const)
    expect(
      await problemOf(
        await post(
          place,
          'multipart/form-data; boundary=b',
          part(name, latin1),
          Buffer.from('--b--\r\n')
        )
      )
    ).toBe(`400 invalid_request: field "${name}" is not UTF-8`)
  const json = [Buffer.from('{"item_id":"'), latin1, Buffer.from('"}')]
  expect(await problemOf(await post(path, 'application/json', ...json))).toBe(
    '400 invalid_request: the body is not UTF-8'
  )
})

test('a file that is sent as text is named', async () => {
  expect(await problemOf(await send(['image', 'a.jpg']))).toBe(
    '400 invalid_request: field image is sent as text: send it as a file'
  )
})

test.each([
  ['a search as JSON', path, 'application/json', '{"vector":[1,0,0,0]}'],
  ['a search as a form', path, 'multipart/form-data; boundary=b', '--b--\r\n'],
  ['an upload', '/v1/collections/marks/images', 'multipart/form-data; boundary=b', '--b--\r\n'],
  ['an import', '/v1/collections/marks/imports', 'multipart/form-data; boundary=b', '--b--\r\n'],
  ['vectors', '/v1/collections/marks/vectors', 'application/x-ndjson', '{"id":"a"}\n']
])('%s with a content-encoding is refused with its reason', async (_name, place, type, text) => {
  const packed: [string, Buffer][] = [
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['BR', brotliCompressSync(text)],
    ['zstd', Buffer.from(text)]
  ]
  for (const [encoding, body] of packed) {
    const response = await api.fetch(place, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { 'content-type': type, 'content-encoding': encoding }
    })
    expect(response.headers.get('accept-encoding')).toBe('identity')
    expect(await problemOf(response)).toBe(
      `415 unsupported_media_type: content-encoding "${encoding.toLowerCase()}" is not taken: send the body without it`
    )
  }
})

test('content-encoding identity is none', async () => {
  await answerOf(
    await api.fetch(path, {
      method: 'POST',
      body: '{"vector":[1,0,0,0]}',
      headers: { 'content-type': 'application/json', 'content-encoding': 'identity' }
    })
  )
})
