// Loads for so long that its parent is gone before it listens. Ends with 7 when it notices.
import { setTimeout as pause } from 'node:timers/promises'
import { onParentGone, tellParent } from '../parent.ts'

setInterval(() => tellParent({ alive: true }), 10)
while (process.connected) await pause(5)
await pause(50)
onParentGone(() => process.exit(7))
