// When a writer polls its log, and when it does the rounds that need a listing. Nothing of this is
// due in a collection in which nothing happens, but for one read of the next log slot every two
// minutes, and one round every `longestMs` for what nobody tells: uploads of a request that died,
// files of a writer that was replaced.
import type { CollectionWriter } from '@likeness/engine'
import type { Clock } from '@likeness/shared/process/clock'
import type { NotificationBox } from './notifications.ts'

/** First and longest pause in milliseconds between two reads of the next log slot. */
const firstPollMs = 1_000
export const longestPollMs = 120_000

export interface RoundTimes {
  /** Pause between two rounds while they are useful. */
  everyMs: number
  /** Time after which the files of a superseded version are garbage. */
  retentionMs: number
  /** Longest pause between two rounds. */
  longestMs: number
}

export interface RoundsDeps {
  writer: Pick<CollectionWriter, 'seq' | 'appliedSlot' | 'hasOpen' | 'hasUploadsLeft'>
  notifications: Pick<NotificationBox, 'isTrusted' | 'slot' | 'forgetSlot'>
  clock: Pick<Clock, 'nowMs'>
  times: RoundTimes
  /** Whether work beside the commits is under way or to be tried again. */
  isWorking: () => boolean
}

/** Due `everyMs` after the need begins or the last round, and `longestMs` after it without a need. */
class Round {
  private readonly times: RoundTimes
  private doneAtMs: number
  private neededSinceMs: number | undefined

  constructor(times: RoundTimes, doneAtMs: number) {
    this.times = times
    this.doneAtMs = doneAtMs
  }

  /** Whether the last round was before that time. */
  isBefore(atMs: number): boolean {
    return this.doneAtMs < atMs
  }

  isDue(isNeeded: boolean, nowMs: number): boolean {
    this.neededSinceMs = isNeeded ? (this.neededSinceMs ?? nowMs) : undefined
    const { everyMs, longestMs } = this.times
    const sinceMs = nowMs - this.doneAtMs
    if (sinceMs >= longestMs) return true
    return isNeeded && Math.min(sinceMs, nowMs - this.neededSinceMs!) >= everyMs
  }

  done(atMs: number): void {
    this.doneAtMs = atMs
  }
}

export function createRounds({ writer, notifications, clock, times, isWorking }: RoundsDeps) {
  let seq = writer.seq
  // The writer before this one may have left something behind: opening counts as a change.
  let changedAtMs = clock.nowMs()
  let activeAtMs = changedAtMs
  const listing = new Round(times, -Infinity)
  const collection = new Round(times, changedAtMs - 1)

  /** What is open, failing, or maybe untold. */
  const isBusy = (): boolean =>
    !notifications.isTrusted() ||
    writer.hasOpen ||
    notifications.slot() > writer.appliedSlot ||
    isWorking()

  return {
    /**
     * Whether this turn lists: batches of open ingestions, and slots above a missing one. A gap in
     * the log shows when a notification names a slot that the writer cannot reach.
     */
    isListingDue: (): boolean =>
      listing.isDue(isBusy() || listing.isBefore(changedAtMs), clock.nowMs()),
    /** Call this after the turn's listing. The log then has no slot that is not applied. */
    listed(atMs: number): void {
      listing.done(atMs)
      notifications.forgetSlot()
    },
    /** Call this after each step. */
    stepped(): void {
      if (writer.seq === seq) return
      seq = writer.seq
      changedAtMs = activeAtMs = clock.nowMs()
    },
    /** Something was told, or there is more to do. */
    woken(): void {
      activeAtMs = clock.nowMs()
    },
    /**
     * Whether this turn collects garbage: once after changes, again when the versions before them
     * are past their retention, and while old uploads are left to look at.
     */
    isCollectionDue(): boolean {
      const nowMs = clock.nowMs()
      const expireAtMs = changedAtMs + times.retentionMs
      const isExpired = nowMs >= expireAtMs && collection.isBefore(expireAtMs)
      const isNeeded = collection.isBefore(changedAtMs) || writer.hasUploadsLeft
      const isDue = collection.isDue(isNeeded, nowMs)
      return isDue || (isExpired && collection.isBefore(nowMs - times.everyMs))
    },
    collected: (atMs: number): void => collection.done(atMs),
    /** The pause grows with the time in which nothing happened: 1 s, 2 s, 4 s and so on. */
    pollPauseMs(): number {
      if (isBusy()) activeAtMs = clock.nowMs()
      return Math.min(longestPollMs, firstPollMs + clock.nowMs() - activeAtMs)
    }
  }
}
