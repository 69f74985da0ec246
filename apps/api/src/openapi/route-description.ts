// Description of a route in the OpenAPI document.
import type { z } from 'zod'
import type { ErrorCode } from '@likeness/shared/errors'
import type { AnswerSchemaName } from './answer-schemas.ts'
import type { RequestSchemaName } from './request-schemas.ts'

export const tags = {
  collections: 'Names, embeddings, metrics, index methods and settings.',
  profiles: 'Projections that were learned from a gallery, beside the one of the model.',
  items: 'What is in a collection, and how it comes in and goes.',
  search: 'What is this, and where is it in the gallery?',
  jobs: 'What became of what was sent.',
  service: 'How this process is.'
} as const

export interface AnswerDescription {
  description: string
  /** Schemas by media type; an empty list for bytes. */
  content: Record<string, readonly (AnswerSchemaName | RequestSchemaName)[]>
  headers?: readonly (keyof typeof answerHeaders)[]
}

export const answerHeaders = {
  'x-index-seq': { description: 'The commit that was read.', schema: { type: 'integer' } },
  'idempotent-replay': {
    description: '`true`: this is the answer to an earlier request with the same Idempotency-Key.',
    schema: { type: 'string' }
  }
} as const

export interface RouteDescription {
  tag: keyof typeof tags
  summary: string
  description?: string
  query?: z.ZodObject
  /** Schema by media type. */
  body?: Record<string, RequestSchemaName>
  bodyOptional?: true
  /** Takes an Idempotency-Key. */
  idempotent?: true
  /** Answers by status. */
  answers: Record<number, AnswerDescription>
  /** Error codes beside the codes of every request of this kind. */
  codes?: readonly ErrorCode[]
}

/** Descriptions by method and path as mounted, e.g. `GET /v1/jobs/:id`. */
export type RouteDescriptions = Record<string, RouteDescription>

/** Describes an answer in JSON. */
export const json = (description: string, ...names: AnswerSchemaName[]): AnswerDescription => ({
  description,
  content: { 'application/json': names }
})
