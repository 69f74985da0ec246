// Turns problem answers of the API into errors with their code.
import type { Problem } from '@likeness/shared/contract/http/problem'

export class ApiProblem extends Error {
  readonly code: string
  readonly status: number
  readonly detail: string
  constructor({ code, status, detail }: Problem) {
    super(`${code}: ${detail}`)
    this.detail = detail
    this.name = 'ApiProblem'
    this.code = code
    this.status = status
  }
}

export function parseProblem(body: string, status: number): Problem {
  try {
    return JSON.parse(body) as Problem
  } catch {
    // The answer is not a problem of our API. Another program, between this program and the API,
    // answered.
    return {
      type: 'about:blank',
      title: 'unexpected answer',
      status,
      code: `http_${status}`,
      detail: body.slice(0, 200)
    }
  }
}

export const absentWhen =
  (code: string) =>
  (error: unknown): undefined => {
    if (error instanceof ApiProblem && error.code === code) return undefined
    throw error
  }
