// Contract: the rules within one process are also true between processes, even when processes are
// killed at any moment.
import { type ChildProcess, fork } from 'node:child_process'
import { createHash, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { sha256Of } from '@likeness/shared/data/sha256'
import type { ObjectStore } from '@likeness/store/object-store'
import type { OpenStoreOptions } from '@likeness/store/open-store'
import { bytes, freshPrefix, listedKeys, valueOf } from './bytes.ts'
import type { StoreUnderTest } from './object-store.contract.ts'
import type { Command, Reply } from './store-process.ts'

const processCount = 8
/** Number of rounds, from TEST_ROUNDS (1000); `npm test` uses 100. */
const rounds = Number(process.env['TEST_ROUNDS'] ?? 1000)

export function describeProcesses(underTest: () => Promise<StoreUnderTest>): void {
  describe('processes', () => {
    const children: ChildProcess[] = []
    afterAll(() => {
      for (const child of children) child.kill('SIGKILL')
    })

    const start = async (address: OpenStoreOptions, count: number) => {
      const started = Array.from({ length: count }, () => startProcess(address))
      children.push(...started)
      await Promise.all(started.map((child) => reply(child)))
      return started
    }
    let racing: Promise<ChildProcess[]> | undefined
    const startRacers = (address: OpenStoreOptions) => (racing ??= start(address, processCount))

    it(`has exactly one winner in each of ${rounds} rounds of compare-and-swap by ${processCount} processes`, async ({
      skip
    }) => {
      const { store, address } = await underTest()
      if (!address) return skip('this store lives in one process')
      const key = `${freshPrefix()}counter`
      let etag = (await store.put(key, bytes('0 start'))).etag
      const racers = await startRacers(address)
      const wins = racers.map(() => 0)
      for (let round = 1; round <= rounds; round++) {
        const won = await everyone(racers, (i) => ({
          act: 'putIf',
          key,
          body: `${round} by ${i}`,
          condition: { ifMatch: etag }
        }))
        const winners = won.flatMap((answer, i) => (wonEtag(answer) === undefined ? [] : [i]))
        expect(winners, `winners of round ${round}`).toHaveLength(1)
        const winner = winners[0] ?? -1
        wins[winner] = (wins[winner] ?? 0) + 1
        etag = wonEtag(won[winner]) ?? ''
      }
      expect(await valueOf(store, key)).toMatch(new RegExp(`^${rounds} by `))
      expect((await store.head(key))?.etag).toBe(etag)
      console.log(`${store.kind}: rounds won by each process: ${wins.join(' ')}`)
    })

    it('loses no increment of processes that read, add one and swap as fast as they can', async ({
      skip
    }) => {
      const { store, address } = await underTest()
      if (!address) return skip('this store lives in one process')
      const key = `${freshPrefix()}counter`
      await store.put(key, bytes('0 start'))
      const racers = await startRacers(address)
      await everyone(racers, () => ({ act: 'increment', key, times: 25 }))
      expect(await valueOf(store, key)).toMatch(new RegExp(`^${processCount * 25} `))
    })

    it('has exactly one creator of each key', async ({ skip }) => {
      const { store, address } = await underTest()
      if (!address) return skip('this store lives in one process')
      const prefix = freshPrefix()
      const racers = await startRacers(address)
      for (let round = 0; round < 50; round++) {
        const key = `${prefix}${round}`
        const won = await everyone(racers, (i) => ({
          act: 'putIf',
          key,
          body: `by ${i}`,
          condition: { create: true }
        }))
        expect(won.filter((answer) => wonEtag(answer) !== undefined)).toHaveLength(1)
        expect(await valueOf(store, key)).toBe(
          `by ${won.findIndex((answer) => wonEtag(answer) !== undefined)}`
        )
      }
    })

    it('never shows a torn object and keeps what was acknowledged when writers are killed', async ({
      skip
    }) => {
      const { store, address } = await underTest()
      if (!address) return skip('this store lives in one process')
      const prefix = freshPrefix()
      const chainKey = `${prefix}chain`
      const acknowledged = new Set<string>()
      await store.put(chainKey, sealedEmpty)
      for (let batch = 0; batch < 3; batch++) {
        const writers = await start(address, 4)
        for (const writer of writers) {
          writer.on(
            'message',
            (answer: Reply) => 'acknowledged' in answer && acknowledged.add(answer.acknowledged)
          )
          writer.send({ act: 'write', prefix, chainKey } satisfies Command)
        }
        const killing = writers.map(async (writer) => {
          await once(writer, 'message')
          await sleep(randomInt(0, 250))
          writer.kill('SIGKILL')
          await once(writer, 'exit')
        })
        await readUntil(Promise.all(killing), () => checkEach(store, [chainKey, `${prefix}shared`]))
      }
      const keys = new Set((await checkAll(store, prefix)).map((key) => prefix + key))
      expect(acknowledged.size).toBeGreaterThan(0)
      expect([...acknowledged].filter((key) => !keys.has(key))).toEqual([])
      const { etag } = (await store.head(chainKey)) ?? { etag: '' }
      expect(await store.putIf(chainKey, sealedEmpty, { ifMatch: etag })).toBeDefined()
    })
  })
}

const sealedEmpty = createHash('sha256').digest()

function startProcess(address: OpenStoreOptions): ChildProcess {
  const file = fileURLToPath(new URL('store-process.ts', import.meta.url))
  return fork(file, [JSON.stringify(address)], { execArgv: ['--import', 'tsx'] })
}

async function everyone(
  children: ChildProcess[],
  command: (i: number) => Command
): Promise<Reply[]> {
  const replies = children.map((child) => reply(child))
  for (const i of shuffled(children.length)) children[i]?.send(command(i))
  return Promise.all(replies)
}

/** Shuffles the order, so that the first process is not always the same. */
function shuffled(count: number): number[] {
  const first = randomInt(count)
  return Array.from({ length: count }, (_, i) => (first + i) % count)
}

async function reply(child: ChildProcess): Promise<Reply> {
  const gone = new AbortController()
  const exited = once(child, 'exit', { signal: gone.signal }).then(([code]) => ({
    failed: `exited with ${code}`
  }))
  exited.catch(() => {})
  const [answer] = (await Promise.race([
    once(child, 'message', { signal: gone.signal }),
    exited.then((failed) => [failed])
  ])) as [Reply]
  gone.abort()
  if ('failed' in answer) throw new Error(answer.failed)
  return answer
}

function wonEtag(answer: Reply | undefined): string | undefined {
  return answer && 'won' in answer ? answer.won : undefined
}

async function readUntil(ended: Promise<unknown>, read: () => Promise<unknown>): Promise<void> {
  let running = true
  const reading = (async () => {
    while (running) await read()
  })()
  await ended
  running = false
  await reading
}

/** Reads every object under the prefix and verifies the object's checksum. */
async function checkAll(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys = await listedKeys(store, prefix)
  await checkEach(
    store,
    keys.map((key) => prefix + key)
  )
  return keys
}

async function checkEach(store: ObjectStore, keys: string[]): Promise<void> {
  for (const key of keys) {
    const found = await store.get(key)
    if (!found) continue
    const body = Buffer.from(found.body)
    const checksum = sha256Of(body.subarray(32))
    expect(checksum.equals(body.subarray(0, 32)), `checksum of ${key}`).toBe(true)
  }
}
