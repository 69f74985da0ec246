// `node --import tsx test/support/get-s3-server.ts`: gets the S3 server of the tests, once. With
// --at-hand it gets no server: exit code 0 if a server can be started right away, else 1.
import { getS3Server, s3ServerAtHand } from './s3-server.ts'

try {
  if (process.argv.includes('--at-hand')) process.exitCode = (await s3ServerAtHand()) ? 0 : 1
  else await getS3Server()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
