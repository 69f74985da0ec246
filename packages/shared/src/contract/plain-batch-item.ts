// A check of the items of a vector batch for those that have nothing unusual: a twentieth of the
// time of their schema, which decides about all others.

const isNumber = (value: unknown): boolean => Number.isFinite(value)
const isTextOrNull = (value: unknown): boolean => value === null || typeof value === 'string'
const isScalar = (value: unknown): boolean =>
  isTextOrNull(value) || typeof value === 'boolean' || isNumber(value)

type Fields = Record<string, unknown>
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The prototype is left to the schema: a key `__proto__` is a field of JSON. */
function isPlainMetadata(value: unknown): boolean {
  if (!isObject(value)) return false
  for (const key in value) if (key === '__proto__' || !isScalar(value[key])) return false
  return true
}

function isPlainRow(value: unknown): boolean {
  if (!isObject(value)) return false
  let fields = 0
  for (const _key in value) fields++
  const { kind, box, score, className } = value
  return (
    fields === 4 &&
    (kind === 'whole' || kind === 'subject' || kind === 'view') &&
    Array.isArray(box) &&
    box.length === 4 &&
    box.every(isNumber) &&
    isNumber(score) &&
    isTextOrNull(className)
  )
}

function isPlainField(key: string, value: unknown): boolean {
  switch (key) {
    case 'id':
      return typeof value === 'string'
    case 'label':
    case 'imageKey':
      return isTextOrNull(value)
    case 'ordinal':
      return Number.isSafeInteger(value) && (value as number) >= 0
    case 'line':
      return Number.isSafeInteger(value)
    case 'width':
    case 'height':
      return isNumber(value)
    case 'metadata':
      return isPlainMetadata(value)
    case 'rows':
      return Array.isArray(value) && value.every(isPlainRow)
    default:
      return false
  }
}

/** Whether the value, of JSON, is one that `batchItemSchema` takes. False also for some that it takes. */
export function isPlainItem(value: unknown): boolean {
  if (!isObject(value)) return false
  for (const key in value) if (!isPlainField(key, value[key])) return false
  return (
    value.ordinal !== undefined &&
    value.id !== undefined &&
    value.label !== undefined &&
    value.imageKey !== undefined &&
    value.rows !== undefined
  )
}
