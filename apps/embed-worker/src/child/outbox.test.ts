import { expect, test } from 'vitest'
import type { FromChild } from '../child-protocol.ts'
import { createOutbox } from './outbox.ts'

test('what is said in one turn is posted together, in its order, before the loop goes on', async () => {
  const posted: number[][] = []
  const send = createOutbox(
    (messages) => void posted.push(messages.map((message) => ('id' in message ? message.id : 0)))
  )
  const dropped = (id: number): FromChild => ({ type: 'dropped', id })
  const loopTurned = new Promise((resolve) => setImmediate(resolve)).then(() => posted.length)
  const shared = Promise.resolve()
  await Promise.all(
    [1, 2, 3].map(async (id) => {
      await shared
      await shared
      send(dropped(id))
    })
  )
  expect(await loopTurned).toBe(1)
  send(dropped(4))
  await new Promise((resolve) => setImmediate(resolve))
  expect(posted).toEqual([[1, 2, 3], [4]])
})
