// The merge process: builds merges, folds and calibrations, reports every second that it is alive,
// and ends with the parent.
import { constants, setPriority } from 'node:os'
import {
  buildCalibration,
  buildFold,
  buildMerge,
  createFaissSegmentFiles,
  createFileCache
} from '@likeness/engine'
import { systemClock } from '@likeness/shared/process/clock'
import { isAppError, messageOf } from '@likeness/shared/errors'
import { claimFolder, emptyFolder } from '@likeness/shared/process/own-folder'
import { createLogger } from '@likeness/shared/process/logger'
import { onParentGone, tellParent } from '@likeness/shared/process/parent'
import { openConfiguredStore } from '@likeness/store/configured-store'
import { readMergeConfig } from '../config.ts'
import { withMergeHooks } from '../test-hooks.ts'
import type { Built, FromMerger, ToMerger } from './merge-messages.ts'

const aliveEveryMs = 1_000

onParentGone(() => process.exit(0))
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
const config = readMergeConfig(process.env)
const logger = createLogger({ app: 'index-worker', level: config.LOG_LEVEL })
const say = (message: FromMerger): void => tellParent(message)
setInterval(() => say({ kind: 'alive', rssBytes: process.memoryUsage.rss() }), aliveEveryMs)

async function openStore() {
  const plain = await openConfiguredStore(config)
  const store = withMergeHooks(plain, config.LIKENESS_TEST_HOOKS)
  const folder = await claimFolder(config.DATA_DIR, `merge-${process.argv[2]}`)
  const cache = createFileCache({ store, dir: await emptyFolder(folder.dir, 'segments') })
  const searched = createFileCache({ store: plain, dir: await emptyFolder(folder.dir, 'searched') })
  return { store, files: createFaissSegmentFiles({ store, cache }), searched }
}
const opening = openStore()

async function build(asked: ToMerger): Promise<Built> {
  const { store, files, searched } = await opening
  if (asked.kind === 'merge') return await buildMerge(files, asked.task)
  return asked.kind === 'fold'
    ? await buildFold({ store, files, clock: systemClock }, asked.task)
    : await buildCalibration({ store, files, cache: searched, logger }, asked.task)
}

process.on('message', (asked: ToMerger) => {
  void build(asked).then(
    (result) => say({ kind: 'built', result }),
    (error: unknown) =>
      say({
        kind: 'failed',
        code: isAppError(error) ? error.code : 'index_failed',
        message: messageOf(error)
      })
  )
})
