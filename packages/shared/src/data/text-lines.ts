// Lines of an uploaded or local text file, with their numbers. UTF-8; BOM, CRLF and blank lines are
// allowed. The lines are streamed, because lists may have millions of them.

export const maxLineBytes = 16 * 1024
const newline = 0x0a

/** `problem`: the reason why the line cannot be read. */
export type TextLine = { line: number; text: string } | { line: number; problem: string }

/** Yields raw lines with their numbers. A line longer than `maxBytes` is cut there and marked. */
async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number
): AsyncGenerator<{ line: number; bytes: Buffer; tooLong: boolean }> {
  let held = Buffer.alloc(0)
  let tooLong = false
  let line = 1
  const keep = (bytes: Buffer): void => {
    tooLong ||= held.length + bytes.length > maxBytes
    held = Buffer.concat([held, bytes.subarray(0, maxBytes - held.length)])
  }
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let from = 0
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, from)) {
      keep(bytes.subarray(from, at))
      yield { line: line++, bytes: held, tooLong }
      held = Buffer.alloc(0)
      tooLong = false
      from = at + 1
    }
    if (from < bytes.length) keep(bytes.subarray(from))
  }
  if (held.length > 0) yield { line, bytes: held, tooLong }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeLine(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    // The line is not UTF-8: the caller fails it.
    return undefined
  }
}

/** Yields every line that is not blank, in order. */
export async function* readTextLines(
  chunks: AsyncIterable<Uint8Array>,
  { maxLineBytes: maxBytes = maxLineBytes }: { maxLineBytes?: number } = {}
): AsyncGenerator<TextLine> {
  for await (const { line, bytes, tooLong } of splitLines(chunks, maxBytes)) {
    const raw = tooLong ? undefined : decodeLine(bytes)
    if (raw === undefined) {
      yield { line, problem: tooLong ? `longer than ${maxBytes} bytes` : 'not UTF-8' }
      continue
    }
    const text = (line === 1 ? raw.replace(/^\uFEFF/, '') : raw).replace(/\r$/, '')
    if (text.trim() !== '') yield { line, text }
  }
}
