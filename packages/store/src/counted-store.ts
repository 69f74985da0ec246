// An object store that counts requests as S3 bills them, for tests and benches. Small stores only:
// a listing counts as one request.
import type { ObjectStore } from './object-store.ts'

export interface RequestCounts {
  get: number
  put: number
  list: number
}

export function countRequests(store: ObjectStore): { store: ObjectStore; requests: RequestCounts } {
  const requests: RequestCounts = { get: 0, put: 0, list: 0 }
  const counted =
    <A extends unknown[], R>(kind: keyof RequestCounts, run: (...args: A) => R) =>
    (...args: A): R => {
      requests[kind]++
      return run(...args)
    }
  return {
    requests,
    store: {
      ...store,
      get: counted('get', store.get),
      getRange: counted('get', store.getRange),
      getStream: counted('get', store.getStream),
      head: counted('get', store.head),
      put: counted('put', store.put),
      putIf: counted('put', store.putIf),
      putStream: counted('put', store.putStream),
      list: counted('list', store.list)
    }
  }
}
