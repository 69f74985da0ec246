// Entry of the embed-worker: supervisor of inference children, consumer of chunk jobs, and embed
// server.
import { runProcess } from '@likeness/shared/process/lifecycle'
import { createLogger } from '@likeness/shared/process/logger'
import { tellParent } from '@likeness/shared/process/parent'
import { readSupervisorConfig } from './config.ts'
import { startWorker } from './start.ts'

const config = readSupervisorConfig(process.env)
const logger = createLogger({ app: 'embed-worker', level: config.LOG_LEVEL })

await runProcess({
  logger,
  deadlineMs: 15_000,
  start: async (lifecycle) => {
    const worker = await startWorker({
      config,
      env: process.env,
      execArgv: process.execArgv,
      logger,
      lifecycle
    })
    logger.info({ url: worker.url, workerId: worker.workerId }, 'embed-worker is ready')
    tellParent({ ready: true, url: worker.url })
  }
})
