// Reads pages of ListObjectsV2. We parse them here, because the client's parser turns keys like 007
// and 1e5 into numbers.
import { compareKeys } from './object-key.ts'
import type { ObjectInfo } from './object-store.ts'
import type { S3Connection } from './s3-client.ts'
import { readWithRetries } from './s3-read.ts'

interface Page {
  objects: ObjectInfo[]
  /** Undefined on the last page. */
  nextToken: string | undefined
}

export async function* listS3(
  s3: S3Connection,
  prefix: string,
  startAfter: string
): AsyncGenerator<ObjectInfo> {
  // Servers disagree about a start outside the prefix (MinIO then returns an empty list). So the
  // start is sent only when it is inside the prefix.
  const within = startAfter.startsWith(prefix)
  if (!within && compareKeys(startAfter, prefix) > 0) return
  let token: string | undefined
  do {
    const page = await readPage(s3, { prefix, startAfter: within ? startAfter : '', token })
    yield* page.objects
    token = page.nextToken
  } while (token !== undefined)
}

async function readPage(
  s3: S3Connection,
  at: { prefix: string; startAfter: string; token: string | undefined }
): Promise<Page> {
  const parameters: Record<string, string> = {
    'list-type': '2',
    'encoding-type': 'url',
    'max-keys': '1000',
    prefix: s3.keyPrefix + at.prefix
  }
  if (at.token !== undefined) parameters['continuation-token'] = at.token
  else if (at.startAfter !== '') parameters['start-after'] = s3.keyPrefix + at.startAfter
  // The signature covers the query in this order and encoding.
  const query = Object.keys(parameters)
    .sort()
    .map((name) => `${name}=${encode(parameters[name] ?? '')}`)
    .join('&')
  const xml = await readWithRetries(`list ${at.prefix}`, async () => {
    const response = await s3.client.makeRequestAsync({
      method: 'GET',
      bucketName: s3.bucket,
      query
    })
    return Buffer.concat(await response.toArray()).toString()
  })
  return parsePage(xml, s3.keyPrefix)
}

/**
 * Parses one page of the server's XML. Throws when the text is no list, instead of taking it for an
 * empty list.
 */
export function parsePage(xml: string, keyPrefix: string): Page {
  if (!/<\/ListBucketResult>\s*$/.test(xml))
    throw new Error('the server answered no list of objects')
  const encoded = field(xml, 'EncodingType') === 'url'
  const objects = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, contents = '']) => {
    const key = field(contents, 'Key') ?? ''
    return {
      key: (encoded ? decodeURIComponent(key.replaceAll('+', ' ')) : key).slice(keyPrefix.length),
      sizeBytes: Number(field(contents, 'Size')),
      etag: (field(contents, 'ETag') ?? '').replaceAll('"', ''),
      lastModifiedMs: Date.parse(field(contents, 'LastModified') ?? '')
    }
  })
  return {
    objects,
    nextToken:
      field(xml, 'IsTruncated') === 'true' ? field(xml, 'NextContinuationToken') : undefined
  }
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function field(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return text?.replace(
    /&(?:#(x?)([0-9a-fA-F]+)|(\w+));/g,
    (whole, hex: string, code: string | undefined, entity: string) =>
      code === undefined
        ? (entities[entity] ?? whole)
        : String.fromCodePoint(parseInt(code, hex ? 16 : 10))
  )
}

function encode(value: string): string {
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`
  )
}
