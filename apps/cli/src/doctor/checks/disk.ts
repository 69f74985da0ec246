// A disk that will be full soon. Writes are refused then.
import type { DiskRoom } from '@likeness/shared/contract/http/status'
import type { StackCheck } from '../check.ts'

/** Merges and folds write what they join once more before the old files go. */
const leastShare = 0.1
const enoughBytes = 20 * 2 ** 30
const leastBytes = 2 ** 30

const isShort = ({ free_bytes: free, total_bytes: total }: DiskRoom): boolean =>
  free < leastBytes || (free < leastShare * total && free < enoughBytes)

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

export const disk: StackCheck = {
  id: 'disk',
  complaint: 'memory',
  examine({ status: { disks } }) {
    const { data, store } = disks
    const named = [
      ['DATA_DIR of the api', data],
      ['the object store', store]
    ] as const
    const short = named.flatMap(([name, room]) =>
      room !== null && isShort(room)
        ? [
            `the disk of ${name} has ${gigabytes(room.free_bytes)} of ${gigabytes(room.total_bytes)} free`
          ]
        : []
    )
    return Promise.resolve(
      short.length === 0
        ? undefined
        : {
            found: short.join('; '),
            says: 'Merges write what they join once more, and a full disk refuses uploads (store_unavailable, no_space). Make room, keep fewer local files (REPLICA_DISK_BYTES), or keep raw vectors for less time (raw_vector_days).',
            type: ['df -h', 'likeness status']
          }
    )
  }
}
