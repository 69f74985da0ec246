// Contract of every object store. The test file of each adapter runs the whole contract on a real
// store.
import { describe } from 'vitest'
import type { ObjectStore } from '@likeness/store/object-store'
import type { OpenStoreOptions } from '@likeness/store/open-store'
import { describeConditionalWrites } from './conditional-writes.ts'
import { describeKeys } from './keys.ts'
import { describeListing } from './listing.ts'
import { describeProcesses } from './processes.ts'
import { describeReading } from './reading.ts'
import { describeStreams } from './streams.ts'

export interface StoreUnderTest {
  store: ObjectStore
  /**
   * Options to open the same store in another process; undefined for a store that lives in one
   * process.
   */
  address: OpenStoreOptions | undefined
  /** Two writes of the same bytes get different etags. S3 computes the etag from the bytes. */
  uniqueEtags: boolean
  /**
   * "a/b" is listed although there is an object "a". VersityGW refuses "a/b", MinIO lists only "a".
   */
  listsBelowObjects: boolean
}

/**
 * Declares the contract suite. `open` is called once; the suite closes the store. Each test uses a
 * prefix that no other test has.
 */
export function describeObjectStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`object store: ${name}`, () => {
    let opened: Promise<StoreUnderTest> | undefined
    const underTest = () => (opened ??= open())
    describeReading(underTest)
    describeConditionalWrites(underTest)
    describeKeys(underTest)
    describeListing(underTest)
    describeStreams(underTest)
    describeProcesses(underTest)
  })
}
