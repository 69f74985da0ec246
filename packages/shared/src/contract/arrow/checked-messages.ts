// Reads an Arrow body, stream or file format, message by message, and passes on only messages that
// were checked. One record batch is in memory at a time. Both formats are read from front to back:
// a file is the stream between two marks, with a table of contents at its end.
import { beyondLimit, maxArrowDictionaries, maxArrowMetadataBytes } from '../limits.ts'
import { arrowProblem, checkMessage, type MessageKind } from './check-message.ts'

export interface BodyBounds {
  maxBytes: number
  /** Called when so many bytes are about to be in memory from now on. Throws beyond a bound. */
  hold?: (bytes: number) => void
}

const fileMark = Buffer.from('ARROW1')
const fileMarkBytes = 8
const continuation = 0xffffffff
const wordBytes = 4
const cutOff = () => arrowProblem('the body ends in the middle: it was cut off')

/** Takes bytes off the front of a stream, in arrays of their own. */
function createTaker(chunks: AsyncIterable<Uint8Array>) {
  const source = chunks[Symbol.asyncIterator]()
  let held: Uint8Array = new Uint8Array(0)
  return {
    /** Returns fewer bytes only where the stream ends. */
    async take(size: number): Promise<Uint8Array> {
      const out = Buffer.allocUnsafeSlow(size)
      let filled = 0
      while (filled < size) {
        if (held.length === 0) {
          const next = await source.next()
          if (next.done === true) break
          held = next.value
        }
        const part = held.subarray(0, size - filled)
        out.set(part, filled)
        filled += part.length
        held = held.subarray(part.length)
      }
      return filled === size ? out : out.subarray(0, filled)
    },
    /** Reads the rest and returns its last bytes, at most `size`, and the length of all of it. */
    async rest(size: number): Promise<{ last: Buffer; bytes: number }> {
      let last: Buffer = Buffer.from(held)
      let bytes = held.length
      for (;;) {
        const next = await source.next()
        if (next.done === true) return { last: last.subarray(-size), bytes }
        bytes += next.value.length
        last = Buffer.concat([last.subarray(-size), next.value])
      }
    },
    stop: async (): Promise<void> => void (await source.return?.())
  }
}
type Taker = ReturnType<typeof createTaker>

async function wordOf(taker: Taker): Promise<number> {
  const bytes = Buffer.from(await taker.take(wordBytes))
  if (bytes.length < wordBytes) throw cutOff()
  return bytes.readUInt32LE(0)
}

/** Length of the next description; 0 at the end of the messages. */
async function nextLength(taker: Taker, first: number | undefined): Promise<number> {
  const word = first ?? (await wordOf(taker))
  return word === continuation ? await wordOf(taker) : word
}

/** invalid_request for a body that is not whole: what was cut off would be lost in silence. */
async function checkEnd(taker: Taker, isFile: boolean): Promise<void> {
  const { last, bytes } = await taker.rest(fileMark.length)
  if (isFile && !last.equals(fileMark)) throw cutOff()
  if (!isFile && bytes > 0)
    throw arrowProblem(`${bytes} bytes after the end of the stream: send one stream a request`)
}

function createOrder(): (kind: MessageKind) => void {
  let hasSchema = false
  let dictionaries = 0
  return (kind) => {
    if (hasSchema === (kind === 'schema'))
      throw arrowProblem(
        'a body has one schema, before everything else (files of arrow-js have theirs at the end: send the stream format)'
      )
    hasSchema = true
    if (kind === 'dictionary' && ++dictionaries > maxArrowDictionaries)
      throw beyondLimit('maxArrowDictionaries', dictionaries)
  }
}

/**
 * Yields the bytes of the messages in the stream format: description, then content, each in an
 * array of its own. Reads to the end of the body.
 */
export async function* checkedMessages(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes, hold }: BodyBounds
): AsyncGenerator<Uint8Array> {
  const taker = createTaker(chunks)
  const inOrder = createOrder()
  let dictionaryBytes = 0
  try {
    const start = Buffer.from(await taker.take(fileMarkBytes))
    if (start.length < fileMarkBytes) throw cutOff()
    const isFile = start.subarray(0, fileMark.length).equals(fileMark)
    const words = isFile ? [] : [start.readUInt32LE(0), start.readUInt32LE(wordBytes)]
    if (words.length > 0 && words[0] !== continuation)
      throw arrowProblem('this is no Arrow IPC stream or file')
    for (let first = words[1]; ; first = undefined) {
      const length = first ?? (await nextLength(taker, undefined))
      if (length === 0) return await checkEnd(taker, isFile)
      if (length > maxArrowMetadataBytes) throw beyondLimit('maxArrowMetadataBytes', length)
      const metadata = await taker.take(length)
      if (metadata.length < length) throw cutOff()
      const { kind, bodyBytes } = checkMessage(metadata, maxBytes)
      inOrder(kind)
      hold?.(dictionaryBytes + bodyBytes)
      if (kind === 'dictionary') dictionaryBytes += bodyBytes
      const body = await taker.take(bodyBytes)
      if (body.length < bodyBytes) throw cutOff()
      yield withLength(metadata)
      if (body.length > 0) yield body
    }
  } finally {
    await taker.stop()
  }
}

function withLength(metadata: Uint8Array): Uint8Array {
  const out = Buffer.alloc(2 * wordBytes + metadata.length)
  out.writeUInt32LE(continuation, 0)
  out.writeUInt32LE(metadata.length, wordBytes)
  out.set(metadata, 2 * wordBytes)
  return out
}
