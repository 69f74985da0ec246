// Text files of users as UTF-8: the byte order mark tells UTF-16 apart.

type Utf16 = 'utf-16le' | 'utf-16be'

/** Returns the encoding that a byte order mark names; undefined for UTF-8. */
function utf16Of(start: Uint8Array): Utf16 | undefined {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le'
  return start[0] === 0xfe && start[1] === 0xff ? 'utf-16be' : undefined
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes UTF-8 and keeps a byte order mark; undefined for other bytes. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    // The bytes are not UTF-8: the caller says so.
    return undefined
  }
}

/**
 * Decodes a whole file, UTF-8 or UTF-16 with a byte order mark, and drops the mark; undefined for
 * other bytes.
 */
export function decodeTextFile(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(utf16Of(bytes) ?? 'utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Passes bytes on as UTF-8. Halves of characters in UTF-16 become bytes that are not UTF-8. */
export async function* asUtf8(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Buffer | undefined = Buffer.alloc(0)
  let decoder: ReturnType<typeof createUtf16Decoder> | undefined
  for await (const chunk of chunks) {
    const bytes: Buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (held === undefined) {
      yield decoder === undefined ? bytes : decoder.write(bytes)
      continue
    }
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
    if (held.length < 2) continue
    const encoding = utf16Of(held)
    decoder = encoding && createUtf16Decoder(encoding)
    yield decoder === undefined ? held : decoder.write(held)
    held = undefined
  }
  const rest = held ?? decoder?.end()
  if (rest !== undefined && rest.length > 0) yield rest
}

function createUtf16Decoder(encoding: Utf16) {
  let held = Buffer.alloc(0)
  return {
    write(bytes: Buffer): Buffer {
      const all = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes])
      let end = all.length - (all.length % 2)
      const whole = all.subarray(0, end)
      if (encoding === 'utf-16be') whole.swap16()
      // The second half of a character may come with the next bytes.
      const last = end < 2 ? 0 : whole.readUInt16LE(end - 2)
      const isFirstHalf = last >= 0xd800 && last < 0xdc00
      if (isFirstHalf) end -= 2
      const text = encodeStrictly(whole.toString('utf16le', 0, end))
      held = all.subarray(end)
      if (isFirstHalf && encoding === 'utf-16be') held.subarray(0, 2).swap16()
      return text
    },
    /** Bytes that belong to no whole character. */
    end: (): Buffer => (held.length === 0 ? held : notUtf8)
  }
}

/** This byte occurs nowhere in UTF-8. */
const notUtf8 = Buffer.of(0xff)

function encodeStrictly(text: string): Buffer {
  const [first = '', ...rest] = text.split(/\p{Surrogate}/u)
  return Buffer.concat([
    Buffer.from(first),
    ...rest.flatMap((part) => [notUtf8, Buffer.from(part)])
  ])
}
