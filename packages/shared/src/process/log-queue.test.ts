import { expect, test } from 'vitest'
import { createLogQueue, type SendLog } from './log-queue.ts'

function rig({ maxBytes = 1000, retryMs = 1e6 } = {}) {
  const written: string[] = []
  let answer: Parameters<SendLog>[1] | undefined
  let text = ''
  const queue = createLogQueue({
    maxBytes,
    retryMs,
    lostLine: (lost, reason) => `lost ${lost}: ${reason}`,
    send(bytes, done) {
      text = bytes.toString()
      answer = done
    }
  })
  return {
    queue,
    written,
    isSending: () => answer !== undefined,
    /** Ends the running write. */
    end(error?: Error): void {
      const done = answer!
      answer = undefined
      if (error === undefined) written.push(text)
      done(error)
    }
  }
}
const full = new Error('ENOSPC: no space left on device, write')

test('lines are written in order, one write at a time', () => {
  const { queue, written, end, isSending } = rig()
  queue.write('a\n')
  queue.write('b\n')
  queue.write(Buffer.from('c\n'))
  end()
  end()
  expect([written, isSending()]).toEqual([['a\n', 'b\nc\n'], false])
})

test('a full disk loses lines and holds up nobody; as soon as there is room it is told how many', () => {
  const { queue, written, end, isSending } = rig()
  queue.write('a\nb\n')
  end(full)
  expect(isSending()).toBe(false)
  queue.write('c\n')
  end(full)
  queue.write('d\n')
  end()
  queue.write('e\n')
  end()
  expect(written).toEqual(['lost 3: ENOSPC: no space left on device, write\nd\n', 'e\n'])
})

test('a reader that stands still fills a bounded memory, and further lines are counted', () => {
  const { queue, written, end } = rig({ maxBytes: 10 })
  for (let i = 0; i < 100; i++) queue.write('12345\n')
  end()
  end()
  expect(written).toEqual([
    '12345\n',
    'lost 98: lines came faster than they could be written\n12345\n'
  ])
})

test('lost lines are told also when nothing else is written any more', async () => {
  const { queue, written, end, isSending } = rig({ retryMs: 1 })
  queue.write('a\n')
  end(full)
  await expect.poll(isSending).toBe(true)
  end()
  expect(written).toEqual(['lost 1: ENOSPC: no space left on device, write\n'])
})

test('a flush ends after the last line, and after a line that was dropped', () => {
  const { queue, end } = rig()
  const ended: string[] = []
  queue.flush(() => ended.push('nothing to write'))
  queue.write('a\n')
  queue.flush(() => ended.push('written'))
  end()
  queue.write('b\n')
  queue.flush(() => ended.push('dropped'))
  end(full)
  expect(ended).toEqual(['nothing to write', 'written', 'dropped'])
})
