// The columns of a loaded segment. The file is opened at the first search that needs a column, and
// each column is read once. Without a file, or with one that is damaged or was collected after
// loading, columns are built from the payload.
import { RecentResults } from '@likeness/shared/data/recent-results'
import { isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { ColumnBuilder } from '../columns/column-builder.ts'
import { type ColumnFile, openColumnFile } from '../columns/column-file.ts'
import type { Column } from '../columns/column.ts'
import type { CheckedFile } from '../files/checked-file.ts'
import type { FileCache } from '../files/file-cache.ts'
import type { Attributes } from '../item/item-payload.ts'
import type { FileRef } from '../version/manifest.ts'

export interface ColumnSource {
  cache: FileCache
  logger: Logger
  ref: FileRef | undefined
  /** Yields the attributes of every item, in order and in chunks. */
  attributes(): AsyncIterable<Attributes[]>
}

/** Most columns in memory at a time, for one segment. */
const mostColumns = 32

export class SegmentColumns {
  private readonly source: ColumnSource
  private readonly columns = new RecentResults<Column | undefined>(mostColumns)
  private readonly opened = new RecentResults<ColumnFile>(1)
  private file: CheckedFile | undefined

  constructor(source: ColumnSource) {
    this.source = source
  }

  /** Returns undefined when all items lack a value. */
  get(name: string): Promise<Column | undefined> {
    return this.columns.get(name, async () => {
      const file = await this.opened.get('', () => this.open())
      const column = await file.read(name)
      return column !== undefined || file.complete
        ? column
        : (await this.build(name)).columns.get(name)
    })
  }

  async getAll(names: Iterable<string>): Promise<Map<string, Column | undefined>> {
    return new Map(
      await Promise.all([...names].map(async (name) => [name, await this.get(name)] as const))
    )
  }

  private async open(): Promise<ColumnFile> {
    try {
      if (this.source.ref !== undefined) return await this.openFile(this.source.ref)
    } catch (error) {
      if (isAppError(error, 'data_corrupt'))
        this.source.logger.error(
          { err: error },
          'a columns file is damaged, searches use the payload'
        )
      else if (!isAppError(error, 'object_not_found')) throw error
    }
    const { columns, ...built } = await this.build()
    return { ...built, names: [...columns.keys()], read: async (name) => columns.get(name) }
  }

  private async openFile(ref: FileRef): Promise<ColumnFile> {
    const file = (this.file ??= await this.source.cache.open(ref))
    return await openColumnFile((offset, length) => file.read(offset, length))
  }

  private async build(only?: string) {
    const builder = new ColumnBuilder(only)
    for await (const chunk of this.source.attributes())
      for (const attributes of chunk) builder.add(attributes)
    return builder.build()
  }

  async close(): Promise<void> {
    await this.file?.close()
  }
}
