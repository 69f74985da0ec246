// Items with vectors as an Arrow IPC stream, in record batches of bounded size. The columns are
// those that read-arrow-items.ts takes.
import type { RecordBatch } from 'apache-arrow'
import type { DescribedVectors } from '../http/vectors.ts'
import { concatArrays } from '../../data/concat-arrays.ts'

export interface VectorItem extends DescribedVectors {
  /** f32 [rows, dim] */
  vectors: Float32Array
}

const batchBytes = 1024 * 1024
const batchItems = 1000
/** Continuation and a length of 0. */
const endMarkBytes = 8

/** Yields the schema, one record batch at a time, and the end mark. */
export async function* writeArrowItems(
  items: AsyncIterable<VectorItem> | Iterable<VectorItem>,
  { dim }: { dim: number }
): AsyncGenerator<Uint8Array> {
  const encode = await createEncoder(dim)
  const empty = encode([])
  yield empty.subarray(0, -endMarkBytes)
  for await (const some of inBatches(items))
    yield encode(some).subarray(empty.length - endMarkBytes, -endMarkBytes)
  yield empty.subarray(-endMarkBytes)
}

async function* inBatches(
  items: AsyncIterable<VectorItem> | Iterable<VectorItem>
): AsyncGenerator<VectorItem[]> {
  let some: VectorItem[] = []
  let bytes = 0
  for await (const item of items) {
    some.push(item)
    bytes += item.vectors.byteLength
    if (some.length < batchItems && bytes < batchBytes) continue
    yield some
    some = []
    bytes = 0
  }
  if (some.length > 0) yield some
}

/** Returns a function that makes a whole stream of one record batch, or of none. */
async function createEncoder(dim: number): Promise<(items: readonly VectorItem[]) => Uint8Array> {
  const arrow = await import('apache-arrow')
  const { Field, FixedSizeList, Float32, Float64, List, makeData, Utf8, vectorFromArray } = arrow
  const rowType = new FixedSizeList(dim, new Field('item', new Float32(), false))
  const types = {
    id: new Utf8(),
    label: new Utf8(),
    metadata: new Utf8(),
    width: new Float64(),
    height: new Float64(),
    rows: new Utf8(),
    vectors: new List(new Field('item', rowType, false))
  }
  const schema = new arrow.Schema(
    Object.entries(types).map(([name, type]) => new Field(name, type, name !== 'id'))
  )
  const json = (value: unknown): string | null =>
    value === undefined ? null : JSON.stringify(value)

  function vectorsOf(items: readonly VectorItem[]) {
    const offsets = new Int32Array(items.length + 1)
    items.forEach(({ vectors }, i) => (offsets[i + 1] = offsets[i]! + vectors.length / dim))
    const length = offsets.at(-1)!
    const values = concatArrays(
      Float32Array,
      items.map(({ vectors }) => vectors)
    )
    const child = makeData({ type: new Float32(), length: values.length, data: values })
    const rows = makeData({ type: rowType, length, child })
    return makeData({
      type: types.vectors,
      length: items.length,
      valueOffsets: offsets,
      child: rows
    })
  }

  function batchOf(items: readonly VectorItem[]): RecordBatch {
    const column = (name: 'id' | 'label' | 'metadata' | 'width' | 'height' | 'rows') => {
      const values = items.map((item) => {
        const value = item[name]
        return name === 'metadata' || name === 'rows' ? json(value) : (value ?? null)
      })
      return vectorFromArray(values, types[name]).data[0]!
    }
    const children = [
      column('id'),
      column('label'),
      column('metadata'),
      column('width'),
      column('height'),
      column('rows'),
      vectorsOf(items)
    ]
    const type = new arrow.Struct(schema.fields)
    return new arrow.RecordBatch(schema, makeData({ type, length: items.length, children }))
  }

  return (items) => {
    const writer = new arrow.RecordBatchStreamWriter()
    writer.reset(undefined, schema)
    if (items.length > 0) writer.write(batchOf(items))
    writer.finish()
    return writer.toUint8Array(true)
  }
}
