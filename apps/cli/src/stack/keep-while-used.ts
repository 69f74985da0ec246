// The end of a stack that a command started for itself and for those that come meanwhile.
//
// A command first writes its own file among the users, and then looks for the address of the stack.
// The stack first takes its address away, and then looks for users. So a command that found the
// address is seen, and a command that is not seen found no address: it waits for the end of this
// stack and starts another one.
import { setTimeout as pause } from 'node:timers/promises'
import { isStackUsed } from './stack-users.ts'

const lookEveryMs = 100

/** Resolves when nobody uses the stack any more; then its address is not published. */
export async function untilUnused(
  dataDir: string,
  address: { publish: () => void; withdraw: () => void }
): Promise<void> {
  for (;;) {
    await pause(lookEveryMs)
    if (isStackUsed(dataDir)) continue
    address.withdraw()
    if (!isStackUsed(dataDir)) return
    address.publish()
  }
}
