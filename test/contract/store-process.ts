// A separate process on the tested store. The process follows the orders of its parent, or writes
// until the kill.
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { sha256Of } from '@likeness/shared/data/sha256'
import { isAppError } from '@likeness/shared/errors'
import type { PutCondition } from '@likeness/store/object-store'
import { openObjectStore, type OpenStoreOptions } from '@likeness/store/open-store'

export type Command =
  | { act: 'putIf'; key: string; body: string; condition: PutCondition }
  | { act: 'increment'; key: string; times: number }
  | { act: 'write'; prefix: string; chainKey: string }

export type Reply =
  | { ready: true }
  | { won: string | undefined }
  | { incremented: number }
  | { acknowledged: string }
  | { failed: string }

const store = await openObjectStore(JSON.parse(process.argv[2] ?? '') as OpenStoreOptions)
const say = (reply: Reply) => process.send?.(reply)
process.on('disconnect', () => process.exit())
process.on('message', (command: Command) => {
  perform(command).catch((error: unknown) =>
    say({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  )
})
say({ ready: true })

async function perform(command: Command): Promise<void> {
  if (command.act === 'putIf')
    say({ won: (await settled(command.key, command.body, command.condition))?.etag })
  else if (command.act === 'increment') await increment(command.key, command.times)
  else await writeForEver(command)
}

async function increment(key: string, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const found = await store.get(key)
    if (!found) throw new Error('the counter is gone')
    const body = `${parseInt(Buffer.from(found.body).toString(), 10) + 1} ${randomBytes(8).toString('hex')}`
    if (await settled(key, body, { ifMatch: found.etag })) done += 1
  }
  say({ incremented: times })
}

/** Resolves an unknown result like a normal caller: the body tells which process wrote it. */
async function settled(
  key: string,
  body: string,
  condition: PutCondition
): Promise<{ etag: string } | undefined> {
  for (;;) {
    try {
      const won = await store.putIf(key, Buffer.from(body), condition)
      if (won) return won
      const found = await store.get(key)
      return found && Buffer.from(found.body).toString() === body ? { etag: found.etag } : undefined
    } catch (error) {
      if (!isAppError(error, 'store_unavailable')) throw error
    }
  }
}

async function writeForEver({
  prefix,
  chainKey
}: {
  prefix: string
  chainKey: string
}): Promise<void> {
  for (let i = 0; ; i++) {
    const own = `${prefix}${process.pid}-${i}`
    await store.putIf(own, sealed(20_000), { create: true })
    say({ acknowledged: own })
    await store.put(`${prefix}shared`, sealed(150_000))
    await store.putStream(`${prefix}stream-${process.pid}-${i}`, Readable.from([sealed(300_000)]), {
      maxBytes: 1e6
    })
    say({ acknowledged: `${prefix}stream-${process.pid}-${i}` })
    const found = await store.get(chainKey)
    if (found) await store.putIf(chainKey, sealed(50_000), { ifMatch: found.etag })
  }
}

/** Returns bytes that contain their own checksum. */
function sealed(sizeBytes: number): Buffer {
  const body = randomBytes(sizeBytes)
  return Buffer.concat([sha256Of(body), body])
}
