// Helpers for the contract suite: text as bytes, bytes as text, and a new prefix for each test.
import { randomUUID } from 'node:crypto'
import type { ObjectInfo, ObjectStore } from '@likeness/store/object-store'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const text = (body: Uint8Array | undefined): string | undefined =>
  body && new TextDecoder().decode(body)

export const freshPrefix = (): string => `t/${randomUUID()}/`

export async function valueOf(store: ObjectStore, key: string): Promise<string | undefined> {
  return text((await store.get(key))?.body)
}

export async function listed(
  store: ObjectStore,
  prefix: string,
  startAfter?: string
): Promise<ObjectInfo[]> {
  const infos: ObjectInfo[] = []
  for await (const info of store.list(prefix, startAfter === undefined ? {} : { startAfter }))
    infos.push(info)
  return infos
}

export async function listedKeys(
  store: ObjectStore,
  prefix: string,
  startAfter?: string
): Promise<string[]> {
  return (await listed(store, prefix, startAfter)).map((info) => info.key.slice(prefix.length))
}
