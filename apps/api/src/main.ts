// The API process.
import { runProcess } from '@likeness/shared/process/lifecycle'
import { createLog } from '@likeness/shared/process/logger'
import { readConfig } from './config.ts'
import { startApi } from './start.ts'

const config = readConfig(process.env)
const log = createLog({ app: 'api', level: config.LOG_LEVEL })

await runProcess({
  log,
  deadlineMs: 12_000,
  async start(lifecycle) {
    const { url } = await startApi({ config, lifecycle, log })
    log.info({ url }, 'listening')
    process.send?.({ ready: true, url })
  }
})
