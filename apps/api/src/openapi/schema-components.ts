// JSON Schemas of all bodies and answers, made from the schemas that check them.
import { z } from 'zod'
import { filterSchema } from '@likeness/shared/contract/filter'
import { metadataSchema } from '@likeness/shared/contract/item-list'
import { type AnswerSchemaName, answerSchemas } from './answer-schemas.ts'
import { requestNotes, type RequestSchemaName, requestSchemas } from './request-schemas.ts'

export type JsonSchema = Record<string, unknown>
type SchemaName = AnswerSchemaName | RequestSchemaName

const uri = (name: string): string => `#/components/schemas/${name}`
export const refTo = (name: SchemaName): JsonSchema => ({ $ref: uri(name) })
export const oneOf = (names: readonly SchemaName[]): JsonSchema =>
  names.length === 1 ? refTo(names[0]!) : { oneOf: names.map(refTo) }

/** Schemas that check by hand, and the component that shows their form. */
const checkedBy = new Map<unknown, RequestSchemaName>([
  [filterSchema, 'Filter'],
  [metadataSchema, 'Metadata']
])

/** Numbers of a fixed count, as a box: many readers of the document know no `prefixItems`. */
const isListOfNumbers = ({ prefixItems }: JsonSchema): boolean =>
  Array.isArray(prefixItems) &&
  prefixItems.every((item: JsonSchema) => item.type === 'number' && Object.keys(item).length === 1)

function convert(
  named: Record<string, z.ZodType>,
  notes: Record<string, object>,
  io: 'input' | 'output'
): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, {
    uri,
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const name = checkedBy.get(zodSchema)
      if (name !== undefined) jsonSchema.$ref = uri(name)
      if (isListOfNumbers(jsonSchema)) {
        delete jsonSchema.prefixItems
        jsonSchema.items = { type: 'number' }
      }
    }
  })
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _schema, $id: _id, ...schema }]) => [
      name,
      { ...notes[name], ...schema }
    ])
  )
}

/** Allows more fields: answers may get more fields in a later version. */
function open(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(open)
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(
    ([key, value]) => !(key === 'additionalProperties' && value === false)
  )
  return Object.fromEntries(kept.map(([key, value]) => [key, open(value)]))
}

export function schemaComponents(): Record<string, JsonSchema> {
  const answers = convert(answerSchemas, {}, 'output')
  return { ...convert(requestSchemas, requestNotes, 'input'), ...(open(answers) as typeof answers) }
}

/** Describes query parameters. */
export function queryParameters(query: z.ZodObject): JsonSchema[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' })
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema
  }))
}
