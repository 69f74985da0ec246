// The index-worker process: the single writer of the collections that it holds.
import { runProcess } from '@likeness/shared/process/lifecycle'
import { createLogger } from '@likeness/shared/process/logger'
import { tellParent } from '@likeness/shared/process/parent'
import { readConfig } from './config.ts'
import { startIndexWorker } from './start.ts'

const config = readConfig(process.env)
const logger = createLogger({ app: 'index-worker', level: config.LOG_LEVEL })

await runProcess({
  logger,
  deadlineMs: 15_000,
  async start(lifecycle) {
    await startIndexWorker({ config, lifecycle, logger })
    logger.info('ready')
    tellParent({ ready: true })
  }
})
