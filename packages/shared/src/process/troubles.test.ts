import { expect, test } from 'vitest'
import { maxTroubles, maxTroubleTextLength } from '../contract/limits.ts'
import { appError } from '../errors.ts'
import type { Logger } from './logger.ts'
import { createTroubles } from './troubles.ts'

function rig() {
  const said: string[] = []
  let nowMs = 0
  const say = (level: string) => (_: object, message: string) =>
    void said.push(`${nowMs / 1000} ${level} ${message}`)
  const troubles = createTroubles({
    clock: { nowMs: () => nowMs },
    logger: { info: say('info'), error: say('error') } as unknown as Logger
  })
  return { said, troubles, at: (s: number) => void (nowMs = s * 1000) }
}
const error = appError('store_unavailable', 'the disk is full')
const report = { error, message: 'cannot write' }

test('a trouble is said at once and then every minute, with or without new reports, until it ends', () => {
  const { said, troubles, at } = rig()
  troubles.report('store', report)
  for (let s = 1; s <= 150; s++) {
    at(s)
    if (s < 70) troubles.report('store', report)
    troubles.remind()
  }
  expect(troubles.list()).toEqual([
    { code: 'store_unavailable', detail: 'the disk is full', sinceMs: 0 }
  ])
  troubles.end('store')
  troubles.end('store')
  expect(troubles.list()).toEqual([])
  expect(said).toEqual([
    '0 error cannot write',
    '60 error cannot write',
    '120 error cannot write',
    '150 info works again; before: cannot write'
  ])
})

test('what comes and goes is said once a minute too', () => {
  const { said, troubles, at } = rig()
  for (let s = 0; s < 120; s++) {
    at(s)
    troubles.report('store', report)
    troubles.end('store')
  }
  expect(said.filter((line) => line.includes('error'))).toEqual([
    '0 error cannot write',
    '60 error cannot write'
  ])
})

test('a trouble that nobody reports any more is over', () => {
  const { troubles, at } = rig()
  troubles.report('part', { ...report, forgetMs: 5_000, collectionId: 'c', stands: true })
  at(5)
  troubles.remind()
  expect(troubles.list()).toMatchObject([{ collectionId: 'c', stands: true }])
  at(6)
  troubles.remind()
  expect(troubles.list()).toEqual([])
})

test('number and length are bounded, and an error of the machine is named', () => {
  const { troubles } = rig()
  troubles.report('addon', {
    error: new Error(`cannot write x: No space left on device ${'y'.repeat(9999)}`),
    message: 'm'
  })
  for (let i = 0; i < 1000; i++) troubles.report(`${i}`, report)
  expect(troubles.list()).toHaveLength(maxTroubles)
  expect(troubles.list()[0]).toMatchObject({
    code: 'store_unavailable',
    detail: expect.stringMatching(/^no space left on the disk: make room there/) as string
  })
  expect(troubles.list()[0]!.detail).toHaveLength(maxTroubleTextLength)
})
