// Reads CSV: fields in quotes, quotes doubled inside. This file owns the csv-parse package.
import { CsvError, parse } from 'csv-parse/sync'
import { UserError } from '../user-error.ts'

export interface CsvRecord {
  fields: string[]
  /** Line on which the record ends, from 1. */
  line: number
}

/** UserError for a quote that is never closed, or that ends inside a field. */
export function parseCsv(text: string, delimiter: string): CsvRecord[] {
  const options = {
    bom: true,
    delimiter,
    info: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    // Quotes inside a field without quotes are a part of it.
    relax_quotes: true,
    skip_empty_lines: true,
    // Spaces beside a delimiter belong to no field, unless quotes enclose them.
    trim: true
  }
  try {
    const records = parse(text, options) as unknown as {
      record: string[]
      info: { lines: number }
    }[]
    return records.map(({ record, info }) => ({ fields: record, line: info.lines }))
  } catch (error) {
    if (error instanceof CsvError) throw new UserError(error.message)
    throw error
  }
}
