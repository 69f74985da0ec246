// Checks the description of an Arrow message before the library decodes it. Lengths and offsets in
// it are the sender's: without these checks a small body could cost any time or memory.
import { DictionaryBatch } from 'apache-arrow/fb/dictionary-batch'
import type { Field } from 'apache-arrow/fb/field'
import { Message } from 'apache-arrow/fb/message'
import { MessageHeader } from 'apache-arrow/fb/message-header'
import { MetadataVersion } from 'apache-arrow/fb/metadata-version'
import { RecordBatch } from 'apache-arrow/fb/record-batch'
import { Schema } from 'apache-arrow/fb/schema'
import { ByteBuffer } from 'flatbuffers'
import { type AppError, appError } from '../../errors.ts'
import { beyondLimit, maxArrowFields, maxVectorLines } from '../limits.ts'

export type MessageKind = 'schema' | 'dictionary' | 'batch'
export interface CheckedMessage {
  kind: MessageKind
  bodyBytes: number
}

/** Buffers of one field are at most three: validity, offsets, values. */
const buffersPerField = 3
const mostNotes = 16
const deepestField = 4

export const arrowProblem = (message: string, cause?: unknown): AppError =>
  appError('invalid_request', `Arrow: ${message}`, { cause })

/** invalid_request or too_large, unless the message costs no more than its bytes. */
export function checkMessage(metadata: Uint8Array, maxBodyBytes: number): CheckedMessage {
  const message = Message.getRootAsMessage(new ByteBuffer(metadata))
  const bodyBytes = Number(message.bodyLength())
  if (bodyBytes < 0) throw arrowProblem('a message has a negative length')
  if (bodyBytes > maxBodyBytes)
    throw appError('too_large', `the body has more than ${maxBodyBytes} bytes`)
  if (message.version() < MetadataVersion.V4)
    throw arrowProblem('a version before 0.8 wrote this: write it again')
  if (message.customMetadataLength() > mostNotes)
    throw arrowProblem(`a message has more than ${mostNotes} notes`)
  return { kind: checkHeader(message, bodyBytes), bodyBytes }
}

function checkHeader(message: Message, bodyBytes: number): MessageKind {
  switch (message.headerType()) {
    case MessageHeader.Schema:
      checkSchema(headerOf(message, new Schema()))
      return 'schema'
    case MessageHeader.RecordBatch:
      checkBatch(headerOf(message, new RecordBatch()), bodyBytes)
      return 'batch'
    case MessageHeader.DictionaryBatch: {
      const dictionary = headerOf(message, new DictionaryBatch())
      const batch = dictionary.data()
      if (batch === null) throw arrowProblem('a dictionary without values')
      if (dictionary.isDelta()) throw arrowProblem('delta dictionaries are not taken')
      checkBatch(batch, bodyBytes)
      return 'dictionary'
    }
    case MessageHeader.NONE:
    case MessageHeader.Tensor:
    case MessageHeader.SparseTensor:
    default:
      throw arrowProblem('a message that is no schema, dictionary or record batch')
  }
}

function headerOf<T>(message: Message, table: T): T {
  const header = message.header(table) as T | null
  if (header === null) throw arrowProblem('a message without content')
  return header
}

/** Fields may share their description, so a small schema may name very many. */
function checkSchema(schema: Schema): void {
  if (schema.endianness() !== 0) throw arrowProblem('big-endian data is not taken')
  let left = maxArrowFields
  const take = (count: number): void => {
    left -= count
    if (count < 0 || left < 0) throw beyondLimit('maxArrowFields', maxArrowFields - left)
  }
  const checkField = (field: Field | null, depth: number): void => {
    if (field === null) throw arrowProblem('a column without a description')
    if (depth > deepestField) throw arrowProblem(`columns are at most ${deepestField} levels deep`)
    take(field.customMetadataLength())
    take(field.childrenLength())
    for (let i = 0; i < field.childrenLength(); i++) checkField(field.children(i), depth + 1)
  }
  take(schema.customMetadataLength())
  take(schema.fieldsLength())
  for (let i = 0; i < schema.fieldsLength(); i++) checkField(schema.fields(i), 1)
}

/** Buffers lie one after another, so that no bytes count twice. */
function checkBatch(batch: RecordBatch, bodyBytes: number): void {
  if (batch.compression() !== null)
    throw arrowProblem('compressed buffers are not taken: write with compression=None')
  if (batch.variadicBufferCountsLength() > 0)
    throw arrowProblem('view columns are not taken: cast string_view to string')
  const rows = Number(batch.length())
  if (rows < 0) throw arrowProblem('a record batch with a negative length')
  if (rows > maxVectorLines) throw beyondLimit('maxVectorLines', rows)
  const [nodes, buffers] = [batch.nodesLength(), batch.buffersLength()]
  if (nodes > maxArrowFields || buffers > buffersPerField * maxArrowFields)
    throw beyondLimit('maxArrowFields', Math.max(nodes, buffers))
  let end = 0
  for (let i = 0; i < buffers; i++) {
    const buffer = batch.buffers(i)!
    const [offset, length] = [Number(buffer.offset()), Number(buffer.length())]
    if (length < 0 || offset < end || offset % 8 !== 0 || offset + length > bodyBytes)
      throw arrowProblem('a buffer lies outside of its record batch')
    end = offset + length
  }
}
