// The object store of `demo --s3`: a configured S3 server, or an S3 server started for the demo.
import { pathToFileURL } from 'node:url'
import { messageOf } from '@likeness/shared/errors'
import { s3FromEnvironment } from '../config.ts'
import type { S3Settings } from '../stack/app-environment.ts'
import { UserError } from '../user-error.ts'

export interface DemoStore {
  objectStore: S3Settings
  /** Name for the user to read. */
  name: string
  stop(): Promise<void>
}
interface TestServer {
  name: string
  endpoint: string
  accessKey: string
  secretKey: string
  stop(): Promise<void>
}

const bucket = 'likeness-demo'

/** UserError when no server is available. */
export async function openDemoStore({ root }: { root: string }): Promise<DemoStore> {
  const configured = s3FromEnvironment()
  if (configured !== undefined) {
    return {
      objectStore: { bucket, ...configured },
      name: `S3 at ${configured.endpoint}`,
      stop: async () => undefined
    }
  }
  // Part of the tests, not of the product: only this switch ever loads the module.
  const module = pathToFileURL(`${root}test/support/s3-server.ts`).href
  const { startS3Server } = (await import(module)) as { startS3Server: () => Promise<TestServer> }
  const server = await startS3Server().catch((error: unknown) => {
    throw new UserError(
      `--s3 needs a server: set S3_ENDPOINT, S3_ACCESS_KEY and S3_SECRET_KEY. ${messageOf(error)}`
    )
  })
  const { endpoint, accessKey, secretKey, name, stop } = server
  return { objectStore: { bucket, endpoint, accessKey, secretKey }, name, stop: () => stop() }
}
