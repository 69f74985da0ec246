import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import type { Request, Response } from 'express'
import { expect, test } from 'vitest'
import { maxHeldBytes } from '@likeness/shared/contract/limits'
import { holdBytes, readIntoMemory } from './held-bytes.ts'

const response = () => new EventEmitter() as unknown as Response
const refused = expect.objectContaining({ code: 'overloaded' })

test('one request may hold any number of bytes, several only so many together, until they are sent', () => {
  const [large, small] = [response(), response()]
  holdBytes(large, maxHeldBytes - 10)
  holdBytes(large, 20)
  expect(() => holdBytes(small, 1)).toThrow(refused)
  large.emit('close')
  holdBytes(small, 10)
  holdBytes(large, maxHeldBytes - 10)
  expect(() => holdBytes(small, 1)).toThrow(refused)
  large.emit('close')
  small.emit('close')
})

test('a stream is read up to its own bound', async () => {
  const req = { res: response() } as unknown as Request
  const read = (maxBytes: number) =>
    readIntoMemory(req, Readable.from([Buffer.from('abc'), Buffer.from('de')]), {
      maxBytes,
      tooLarge: () => new Error('too large')
    })
  expect(Buffer.from(await read(5)).toString()).toBe('abcde')
  await expect(read(4)).rejects.toThrow('too large')
  req.res!.emit('close')
})
