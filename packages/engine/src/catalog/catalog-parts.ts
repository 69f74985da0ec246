// What the operations of the catalogue work with.
import type { Names, NamesDeps } from './names.ts'
import type { Records } from './records.ts'

export interface CatalogParts extends NamesDeps {
  names: Names
  records: Records
}
