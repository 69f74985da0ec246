// JSON of many entries, one per line: an array or an object that JSON.parse reads as a whole. It is
// written and read line by line, because one text of all entries may be longer than a string can be.

const newline = 0x0a
const comma = 0x2c
const brace = 0x7b
/** Bytes of text that are made into one buffer. */
const pieceBytes = 1024 * 1024

/** `entries`: the JSON text of each, without a line break. `brackets`: those of all entries. */
export function encodeEntries(entries: Iterable<string>, brackets: '[]' | '{}'): Buffer {
  const [open, close] = brackets
  const pieces: Buffer[] = []
  let held = `${open}\n`
  let isFirst = true
  for (const entry of entries) {
    held += isFirst ? entry : `,\n${entry}`
    isFirst = false
    if (held.length < pieceBytes) continue
    pieces.push(Buffer.from(held))
    held = ''
  }
  pieces.push(Buffer.from(`${held}\n${close}`))
  return Buffer.concat(pieces)
}

/**
 * Returns the entries: each line of an array parsed, each line of an object as [key, value]. A file
 * without lines is of an older program.
 */
export function decodeEntries(body: Uint8Array): unknown[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const first = bytes.indexOf(newline)
  if (first < 0) return entriesOf(JSON.parse(bytes.toString('utf8')))
  const isObject = bytes[0] === brace
  const entries: unknown[] = []
  for (let from = first + 1, end = bytes.indexOf(newline, from); end >= 0; ) {
    const line = bytes.toString('utf8', from, bytes[end - 1] === comma ? end - 1 : end)
    if (line !== '') entries.push(...entriesOf(JSON.parse(isObject ? `{${line}}` : `[${line}]`)))
    from = end + 1
    end = bytes.indexOf(newline, from)
  }
  return entries
}

const entriesOf = (parsed: unknown): unknown[] =>
  Array.isArray(parsed) ? parsed : Object.entries(parsed as object)
