// Runs schemathesis (PyPI, optional) against the OpenAPI document of a running stack.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

export const installHint = 'pip install schemathesis, or SCHEMATHESIS=/path/to/schemathesis'

/** Returns undefined when schemathesis is not installed; else whether it found no fault. */
export async function runSchemathesis(
  url: string,
  { seconds, seed }: { seconds: number; seed: number }
): Promise<boolean | undefined> {
  const command = process.env.SCHEMATHESIS || 'schemathesis'
  const child = spawn(
    command,
    [
      'run',
      `${url}/v1/openapi.json`,
      ...['--checks', 'not_a_server_error,status_code_conformance,response_schema_conformance'],
      ...['--seed', String(seed)],
      ...['--phases', 'examples,fuzzing'],
      ...['--max-examples', String(Math.max(5, Math.round(seconds / 4)))],
      // A verification reads all objects. Lines of vectors have no form that it could draw.
      ...['--exclude-path-regex', '/verify$'],
      ...['--exclude-path', '/v1/collections/{c}/vectors'],
      ...['--request-timeout', '60']
    ],
    { stdio: 'inherit' }
  )
  const failed = once(child, 'error').then(() => undefined)
  const ended = once(child, 'exit').then(([code]) => code === 0)
  return await Promise.race([failed, ended])
}
