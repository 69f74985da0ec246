import { expect, test } from 'vitest'
import { createProgress, formatProgress } from './progress.ts'

test('the bar shows rate and time left', () => {
  expect(
    formatProgress({
      label: 'importing',
      unit: 'images',
      done: 250,
      total: 1000,
      elapsedMs: 10_000
    })
  ).toBe('importing [#######.......................] 250/1000  25.0 images/s  30 s left')
  expect(formatProgress({ label: 'x', unit: 'y', done: 0, total: 10, elapsedMs: 0 })).toContain(
    'starting'
  )
  expect(formatProgress({ label: 'x', unit: 'y', done: 10, total: 10, elapsedMs: 2_000 })).toMatch(
    /10\/10 {2}5\.0 y\/s {2}done$/
  )
  expect(
    formatProgress({
      label: 'x',
      unit: 'y',
      done: 60,
      total: 100,
      elapsedMs: 2_000,
      doneBefore: 50
    })
  ).toMatch(/60\/100 {2}5\.0 y\/s {2}8 s left$/)
})

test('a terminal is redrawn in place, a log gets a line now and then and the last one', () => {
  const run = (isTerminal: boolean): string[] => {
    const written: string[] = []
    let nowMs = 0
    const progress = createProgress(
      { label: 'l', unit: 'u' },
      { write: (text) => written.push(text), isTerminal, nowMs: () => nowMs }
    )
    for (let done = 0; done <= 100; done++) {
      nowMs += 100
      progress.show(done, 100)
    }
    progress.done()
    return written
  }
  const terminal = run(true)
  expect(terminal).toHaveLength(102)
  expect(
    terminal.every((text, at) => (at < 101 ? text.startsWith('\r\x1b[2K') : text === '\n'))
  ).toBe(true)
  const log = run(false)
  expect(log).toHaveLength(3)
  expect(log.at(-1)).toMatch(/100\/100 .*done\n$/)
})
