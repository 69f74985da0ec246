// Checks metadata that a client sends, and names the key of the fault.
import { isLostNumber, lostNumber } from './exact-numbers.ts'
import { maxMetadataBytes, maxMetadataKeyLength, maxMetadataKeys, maxTextLength } from './limits.ts'

export interface ValueProblem {
  path: (string | number)[]
  message: string
}

/** Returns the reason why a text is no metadata key. */
export function keyProblem(key: string): string | undefined {
  // Objects of JavaScript treat this name as their prototype, so readers would drop the key.
  if (key === '__proto__') return 'the key __proto__ is not allowed: choose another name'
  if (key.length === 0 || key.length > maxMetadataKeyLength)
    return `a metadata key has 1 to ${maxMetadataKeyLength} characters`
  return undefined
}

/** Returns the reason why a text, number or boolean can be neither stored nor looked for. */
export function scalarProblem(value: string | number | boolean): string | undefined {
  if (typeof value === 'boolean') return undefined
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return 'the number is too large'
    return isLostNumber(value) ? lostNumber : undefined
  }
  return value.length > maxTextLength ? `a text has at most ${maxTextLength} characters` : undefined
}

/** Returns the first reason why a value is not the metadata of an item. */
export function metadataProblem(metadata: unknown): ValueProblem | undefined {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    return { path: [], message: 'metadata is an object of texts, numbers, true, false and null' }
  const entries = Object.entries(metadata)
  if (entries.length > maxMetadataKeys)
    return {
      path: [],
      message: `metadata has at most ${maxMetadataKeys} keys, not ${entries.length}`
    }
  for (const [key, value] of entries) {
    const message = keyProblem(key) ?? valueProblem(value)
    if (message !== undefined) return { path: [key], message }
  }
  const bytes = metadataBytes(metadata)
  return bytes > maxMetadataBytes
    ? { path: [], message: `metadata has at most ${maxMetadataBytes} bytes, not ${bytes}` }
    : undefined
}

/** Size as JSON in UTF-8, in bytes. */
export const metadataBytes = (metadata: unknown): number =>
  Buffer.byteLength(JSON.stringify(metadata))

function valueProblem(value: unknown): string | undefined {
  if (value === null) return undefined
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return scalarProblem(value)
  return Array.isArray(value)
    ? 'a list is not a metadata value: a value is a text, a number, true, false or null'
    : 'a metadata value is a text, a number, true, false or null, not an object'
}
