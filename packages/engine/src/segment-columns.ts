// The columns of a loaded segment: opened at the first search that asks for one, each read once.
// A segment without a columns file, or whose file was collected since it was loaded, makes them of its payload.
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { appError, isAppError } from '@likeness/shared/errors'
import { ColumnBuilder } from './column-builder.ts'
import { openColumnFile } from './column-file.ts'
import type { ColumnFile } from './column-file.ts'
import type { Column } from './column.ts'
import type { FileCache } from './file-cache.ts'
import type { Attributes } from './item-payload.ts'
import type { FileRef } from './manifest.ts'
import { Recent } from './recent.ts'

export interface ColumnSource {
  cache: FileCache
  ref: FileRef | undefined
  /** Of every item, in order and in chunks. */
  attributes(): AsyncIterable<Attributes[]>
}

/** Columns in memory at a time, of one segment. */
const mostColumns = 32

export class SegmentColumns {
  private readonly source: ColumnSource
  private readonly columns = new Recent<Column | undefined>(mostColumns)
  private readonly opened = new Recent<ColumnFile>(1)
  private handle: FileHandle | undefined

  constructor(source: ColumnSource) {
    this.source = source
  }

  /** undefined: no item has a value. */
  get(name: string): Promise<Column | undefined> {
    return this.columns.get(name, async () => {
      const file = await this.opened.get('', () => this.open())
      const column = await file.read(name)
      return column !== undefined || file.complete ? column : (await this.build(name)).columns.get(name)
    })
  }

  async getAll(names: Iterable<string>): Promise<Map<string, Column | undefined>> {
    return new Map(await Promise.all([...names].map(async (name) => [name, await this.get(name)] as const)))
  }

  private async open(): Promise<ColumnFile> {
    try {
      if (this.source.ref !== undefined) return await this.openFile(this.source.ref)
    } catch (error) {
      if (!isAppError(error, 'object_not_found')) throw error
    }
    const { columns, ...built } = await this.build()
    return { ...built, names: [...columns.keys()], read: async (name) => columns.get(name) }
  }

  private async openFile(ref: FileRef): Promise<ColumnFile> {
    const handle = (this.handle ??= await open(await this.source.cache.path(ref)))
    return await openColumnFile(async (offset, length) => {
      const body = new Uint8Array(length)
      const { bytesRead } = await handle.read(body, 0, length, offset)
      if (bytesRead !== length) throw appError('data_corrupt', `${ref.key} is short`)
      return body
    })
  }

  private async build(only?: string) {
    const builder = new ColumnBuilder(only)
    for await (const chunk of this.source.attributes()) for (const attributes of chunk) builder.add(attributes)
    return builder.build()
  }

  async close(): Promise<void> {
    await this.handle?.close()
  }
}
