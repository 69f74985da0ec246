// Logs more than any pipe holds, until a SIGTERM stops it like every process. Tells over IPC how
// long the event loop stood still at most.
import { runProcess } from '../lifecycle.ts'
import { createLogger } from '../logger.ts'

const logger = createLogger({ app: 'test', level: 'info' })
let longestMs = 0
let lastMs = performance.now()
await runProcess({
  logger,
  deadlineMs: 5_000,
  async start(lifecycle) {
    const timer = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs)
      lastMs = performance.now()
      for (let i = 0; i < 100; i++) logger.info({ text: 'x'.repeat(1000) }, 'line')
      logger.fatal({ err: new Error('it goes on') }, 'fatal line')
      process.send?.({ longestMs })
    }, 5)
    lifecycle.onStop('logging', () => clearInterval(timer))
  }
})
