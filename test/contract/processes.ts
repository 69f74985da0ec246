// Contract: what holds within one process holds between processes, also when they are killed at any moment.
import { describe, it } from 'vitest'
import type { StoreUnderTest } from './object-store.contract.ts'

export function describeProcesses(_underTest: () => Promise<StoreUnderTest>): void {
  describe('processes', () => {
    it.todo("races")
  })
}
