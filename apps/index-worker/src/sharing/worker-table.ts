// The table of live index-workers in Redis. Each worker writes its own entry and reads all of them in
// one command, so the table also carries the hand-overs. An entry that is not written again for the
// time of a lease is gone, with the offers in it.
import {
  type IndexWorkerEntry,
  indexWorkerEntrySchema,
  indexWorkersKey
} from '@likeness/shared/contract/work'
import type { Redis } from '@likeness/shared/process/redis'

// All times are those of Redis, so the clocks of the workers need not agree. A distance, because that
// clock may be set back.
const exchangeScript = `
local time = redis.call('time')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('hexists', KEYS[1], ARGV[1])
redis.call('hset', KEYS[1], ARGV[1], string.format('%.0f', nowMs) .. ' ' .. ARGV[2])
redis.call('pexpire', KEYS[1], ARGV[3])
local entries = redis.call('hgetall', KEYS[1])
local live = { known }
for i = 1, #entries, 2 do
  local atMs = tonumber(string.match(entries[i + 1], '^%d+')) or 0
  if math.abs(nowMs - atMs) > tonumber(ARGV[3]) then
    redis.call('hdel', KEYS[1], entries[i])
  elseif entries[i] ~= ARGV[1] then
    live[#live + 1] = entries[i + 1]
  end
end
return live`

export interface WorkerTable {
  /**
   * Writes the own entry, and returns those of the other live workers. `isKnown`: the own entry was
   * there before. Rejects when Redis does not answer.
   */
  exchange(own: IndexWorkerEntry): Promise<{ others: IndexWorkerEntry[]; isKnown: boolean }>
  leave(): Promise<void>
}

/** An entry of a program with another form is left out: no hand-over is begun with that worker. */
function parseEntry(text: string): IndexWorkerEntry[] {
  try {
    const json: unknown = JSON.parse(text.slice(text.indexOf(' ') + 1))
    const parsed = indexWorkerEntrySchema.safeParse(json)
    return parsed.success ? [parsed.data] : []
  } catch {
    return []
  }
}

export function createWorkerTable({
  redis,
  workerId,
  liveMs
}: {
  redis: Redis
  workerId: string
  /** Time for which an entry lives. */
  liveMs: number
}): WorkerTable {
  return {
    async exchange(own) {
      const text = JSON.stringify(own)
      const answer = await redis.eval(exchangeScript, 1, indexWorkersKey, workerId, text, liveMs)
      const [known, ...entries] = answer as [number, ...string[]]
      return { others: entries.flatMap(parseEntry), isKnown: known === 1 }
    },
    async leave() {
      await redis.hdel(indexWorkersKey, workerId)
    }
  }
}
