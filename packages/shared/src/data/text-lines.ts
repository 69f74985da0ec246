// Lines of an uploaded or local text file, with their numbers. UTF-8, or UTF-16 with a byte order
// mark; LF, CRLF or CR; blank lines are allowed. The lines are streamed, because lists may have
// millions of them.
import { asUtf8, decodeUtf8 } from './text-encoding.ts'

const lf = 0x0a
const cr = 0x0d

/** `problem`: the reason why the line cannot be read. */
export type TextLine = { line: number; text: string } | { line: number; problem: string }

interface RawLine {
  line: number
  bytes: Buffer
  tooLong: boolean
}

/** Files that users take for text, by their first bytes. */
const packed: readonly [name: string, start: Buffer][] = [
  ['a gzip file', Buffer.of(0x1f, 0x8b, 0x08)],
  ['a zip file (xlsx is one too)', Buffer.from('PK\u0003\u0004')],
  ['a PDF', Buffer.from('%PDF-')]
]

/**
 * Where the first line ends, and whether lines end with a CR alone. undefined: `bytes` has no end
 * of a line yet.
 */
function endOfLines(bytes: Buffer): number | undefined {
  const [firstLf, firstCr] = [bytes.indexOf(lf), bytes.indexOf(cr)]
  if (firstCr === -1 || (firstLf !== -1 && firstLf < firstCr))
    return firstLf === -1 ? undefined : lf
  // The LF of a CRLF may come with the next bytes.
  if (firstCr === bytes.length - 1) return undefined
  return bytes[firstCr + 1] === lf ? lf : cr
}

/**
 * Yields raw lines with their numbers. A line longer than `maxBytes` is cut there and marked. Every
 * byte is copied at most twice.
 */
async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number
): AsyncGenerator<RawLine> {
  let parts: Buffer[] = []
  let length = 0
  let line = 1
  /** The byte that ends lines; the first end of a line in the file decides. */
  let end: number | undefined
  let heldCr = false
  const keep = (bytes: Buffer): void => {
    if (length < maxBytes) parts.push(bytes.subarray(0, maxBytes - length))
    length += bytes.length
  }
  const take = (): RawLine => {
    const taken = { line: line++, bytes: joined(parts), tooLong: length > maxBytes }
    parts = []
    length = 0
    return taken
  }
  for await (const chunk of chunks) {
    let bytes: Buffer = heldCr ? Buffer.concat([Buffer.of(cr), chunk]) : chunk
    end ??= endOfLines(bytes)
    heldCr = end === undefined && bytes.at(-1) === cr
    if (heldCr) bytes = bytes.subarray(0, -1)
    let from = 0
    for (let at = indexOf(bytes, end, 0); at !== -1; at = indexOf(bytes, end, from)) {
      keep(bytes.subarray(from, at))
      yield take()
      from = at + 1
    }
    if (from < bytes.length) keep(bytes.subarray(from))
  }
  if (length > 0) yield take()
}

const joined = (parts: readonly Buffer[]): Buffer =>
  parts.length === 1 ? parts[0]! : Buffer.concat(parts)
const indexOf = (bytes: Buffer, end: number | undefined, from: number): number =>
  end === undefined ? -1 : bytes.indexOf(end, from)

function problemOf({ bytes, tooLong }: RawLine, maxBytes: number): string | undefined {
  if (tooLong) return `longer than ${maxBytes} bytes`
  if (bytes.includes(0)) return 'NUL bytes: save the file as UTF-8 (this may be UTF-16)'
  return undefined
}

/** Yields every line that is not blank, in order. A packed file is one line with a problem. */
export async function* readTextLines(
  chunks: AsyncIterable<Uint8Array>,
  { maxLineBytes: maxBytes }: { maxLineBytes: number }
): AsyncGenerator<TextLine> {
  for await (const raw of splitLines(asUtf8(chunks), maxBytes)) {
    const { line, bytes } = raw
    const format =
      line === 1
        ? packed.find(([, start]) => start.equals(bytes.subarray(0, start.length)))
        : undefined
    if (format !== undefined) {
      yield { line, problem: `${format[0]} is no list: unpack it, and send plain text` }
      return
    }
    const problem = problemOf(raw, maxBytes)
    const text = problem === undefined ? decodeUtf8(bytes) : undefined
    if (text === undefined) {
      yield { line, problem: problem ?? 'not UTF-8: save the file as UTF-8' }
      continue
    }
    const plain = (line === 1 ? text.replace(/^\uFEFF/, '') : text).replace(/\r$/, '')
    if (plain.trim() !== '') yield { line, text: plain }
  }
}

/**
 * Names the first control character in the fields of a line, or returns undefined. Such a character
 * shows that the line was cut at the wrong places.
 */
export function controlCharacterIn(fields: readonly string[]): string | undefined {
  for (const [at, field] of fields.entries()) {
    const found = /[\u0000-\u001f\u007f]/.exec(field)?.[0]
    if (found === undefined) continue
    const code = found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
    return `column ${at + 1} has the control character U+${code}${controlHints[code] ?? ''}`
  }
  return undefined
}

const controlHints: Record<string, string> = {
  '0009': ' (a tab): one delimiter is expected in all lines',
  '000D': ' (CR): the line ends of the file are mixed'
}
