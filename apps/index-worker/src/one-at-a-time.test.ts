import { expect, test } from 'vitest'
import { oneAtATime } from './one-at-a-time.ts'

test('one task runs at a time, and the next one after its end', () => {
  const mayBegin = oneAtATime()
  const end = mayBegin()
  expect([typeof end, mayBegin()]).toEqual(['function', null])
  end!()
  expect(mayBegin()).not.toBeNull()
})
