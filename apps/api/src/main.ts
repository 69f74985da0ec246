// Starts the API process.
import { runProcess } from '@likeness/shared/process/lifecycle'
import { createLogger } from '@likeness/shared/process/logger'
import { tellParent } from '@likeness/shared/process/parent'
import { readConfig } from './config.ts'
import { startApi } from './start.ts'

const config = readConfig(process.env)
const logger = createLogger({ app: 'api', level: config.LOG_LEVEL })

await runProcess({
  logger,
  deadlineMs: 12_000,
  async start(lifecycle) {
    const { url } = await startApi({ config, lifecycle, logger })
    logger.info({ url }, 'listening')
    tellParent({ ready: true, url })
  }
})
