import { expect, test } from 'vitest'
import { createPriorityMutex } from './priority-mutex.ts'

const turn = () => new Promise<void>((resolve) => void setImmediate(resolve))

function createLogger() {
  const log: string[] = []
  const work = (name: string) => async () => {
    log.push(name)
    await turn()
  }
  return { log, work }
}

test('the most urgent of those that wait goes first', async () => {
  const gate = createPriorityMutex({ turn })
  const { log, work } = createLogger()
  await Promise.all([
    gate.run('bulk', work('bulk 1')),
    gate.run('bulk', work('bulk 2')),
    gate.run('small', work('small')),
    gate.run('interactive', work('interactive'))
  ])
  expect(log).toEqual(['bulk 1', 'interactive', 'small', 'bulk 2'])
})

test('an expected query holds back everything less urgent until it is over', async () => {
  const gate = createPriorityMutex({ turn })
  const { log, work } = createLogger()
  const over = gate.expect()
  const bulk = gate.run('bulk', work('bulk'))
  for (let i = 0; i < 5; i++) await turn()
  expect(log).toEqual([])
  await gate.run('interactive', work('interactive'))
  expect(log).toEqual(['interactive'])
  over()
  over()
  await bulk
  expect(log).toEqual(['interactive', 'bulk'])
})

test('messages are let in between two runs, and a query among them goes before the next bulk run', async () => {
  const { log, work } = createLogger()
  let arrived: (() => void) | undefined
  const gate = createPriorityMutex({
    turn: async () => {
      arrived?.()
      arrived = undefined
      await turn()
    }
  })
  arrived = () => void gate.run('interactive', work('interactive'))
  await Promise.all([gate.run('bulk', work('bulk 1')), gate.run('bulk', work('bulk 2'))])
  expect(log).toEqual(['bulk 1', 'interactive', 'bulk 2'])
})

test('a run that fails lets the next one in', async () => {
  const gate = createPriorityMutex({ turn })
  const failing = gate.run('bulk', () => Promise.reject(new Error('no')))
  const next = gate.run('bulk', async () => 'ran')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('ran')
})
