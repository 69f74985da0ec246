// Writes PP-ShiTu's id_map.pkl step by step: a pickled dictionary (protocol 2) of row -> text.
// Memory holds a single part at a time, for a gallery of any size.

/** Number of entries that Python's own pickler sets at a time. */
const entriesPerPart = 1_000

export interface IdMapWriter {
  /** Returns the bytes that are due. */
  add(row: number, text: string): Uint8Array
  end(): Uint8Array
}

export function createIdMapWriter(): IdMapWriter {
  let due = Buffer.from('\x80\x02}', 'latin1')
  let held: Buffer[] = []
  const flush = (): Buffer => {
    const part = held.length === 0 ? [] : [Buffer.from('('), ...held, Buffer.from('u')]
    const bytes = Buffer.concat([due, ...part])
    due = Buffer.alloc(0)
    held = []
    return bytes
  }
  return {
    add(row, text) {
      held.push(encodeEntry(row, text))
      return held.length === entriesPerPart ? flush() : Buffer.alloc(0)
    },
    end: () => Buffer.concat([flush(), Buffer.from('.')])
  }
}

/** Encodes BININT and BINUNICODE. */
function encodeEntry(row: number, text: string): Buffer {
  const bytes = Buffer.from(text)
  const entry = Buffer.alloc(10 + bytes.length)
  entry.write('J', 0, 'latin1')
  entry.writeInt32LE(row, 1)
  entry.write('X', 5, 'latin1')
  entry.writeUInt32LE(bytes.length, 6)
  bytes.copy(entry, 10)
  return entry
}
