// The merge process: builds merges, reports every second that it is alive, and ends with the
// parent.
import { constants, setPriority } from 'node:os'
import { buildMerge, createFaissSegmentFiles, createFileCache } from '@likeness/engine'
import { isAppError, messageOf } from '@likeness/shared/errors'
import { claimFolder, emptyFolder } from '@likeness/shared/process/own-folder'
import { onParentGone, tellParent } from '@likeness/shared/process/parent'
import { openConfiguredStore } from '@likeness/store/configured-store'
import { readMergeConfig } from '../config.ts'
import { withMergeHooks } from '../test-hooks.ts'
import type { FromMerger, ToMerger } from './merge-messages.ts'

const aliveEveryMs = 1_000

onParentGone(() => process.exit(0))
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
const config = readMergeConfig(process.env)
const say = (message: FromMerger): void => tellParent(message)
setInterval(() => say({ kind: 'alive', rssBytes: process.memoryUsage.rss() }), aliveEveryMs)

async function openFiles() {
  const store = withMergeHooks(await openConfiguredStore(config), config.LIKENESS_TEST_HOOKS)
  const folder = await claimFolder(config.DATA_DIR, `merge-${process.argv[2]}`)
  return createFaissSegmentFiles({
    store,
    cache: createFileCache({ store, dir: await emptyFolder(folder.dir, 'segments') })
  })
}
const opening = openFiles()

process.on('message', ({ task }: ToMerger) => {
  void opening
    .then((files) => buildMerge(files, task))
    .then(
      (result) => say({ kind: 'merged', result }),
      (error: unknown) =>
        say({
          kind: 'failed',
          code: isAppError(error) ? error.code : 'index_failed',
          message: messageOf(error)
        })
    )
})
