// The only module that builds a minio client. Every request has a deadline, and no retry is hidden
// from us.
import http from 'node:http'
import https from 'node:https'
import { Client } from 'minio'
import { appError } from '@likeness/shared/errors'

export interface S3Options {
  /** Address such as `http://127.0.0.1:9000` or `https://s3.eu-central-1.amazonaws.com`. */
  endpoint: string
  accessKey: string
  secretKey: string
  /** Default us-east-1. The region is always set, so that the client never asks the server. */
  region?: string
  /**
   * Longest wait for the start of an answer after the request's bytes are sent, and between two
   * pieces of an answer. Default 15 s.
   */
  timeoutMs?: number
}

export interface S3Connection {
  client: Client
  bucket: string
  /** Either '' or a prefix that ends in '/'. */
  keyPrefix: string
  /** Over plain HTTP the sha256 of the body is signed; over TLS it must be left out. */
  signsBody: boolean
  close(): void
}

/**
 * Statuses for which the client does not read the answer. An unread answer holds the connection.
 */
const unreadStatuses = new Set([408, 429, 499, 500, 502, 503, 504, 520])
const slowestBytesPerMs = 256

/**
 * Prepares a connection without connecting yet. Throws `invalid_request` for an endpoint that is no
 * URL.
 */
export function connectS3(
  address: { bucket: string; prefix: string },
  options: S3Options
): S3Connection {
  const url = parseEndpoint(options.endpoint)
  const secure = url.protocol === 'https:'
  // A free connection is closed before servers close it: a write on a connection that is just
  // closing has an unknown result.
  const agentOptions = { keepAlive: true, maxSockets: 64, timeout: 4_000 }
  const agent = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions)
  const client = new Client({
    endPoint: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 443 : 80),
    useSSL: secure,
    accessKey: options.accessKey,
    secretKey: options.secretKey,
    region: options.region ?? 'us-east-1',
    transportAgent: agent,
    transport: {
      request: requestWithDeadline(secure ? https : http, options.timeoutMs ?? 15_000)
    } as Transport,
    // A retry inside the client could get 412 for a conditional write that the client itself made.
    retryOptions: { disableRetry: true }
  })
  const keyPrefix = address.prefix === '' ? '' : `${address.prefix}/`
  return {
    client,
    bucket: address.bucket,
    keyPrefix,
    signsBody: !secure,
    close: () => agent.destroy()
  }
}

type Transport = NonNullable<ConstructorParameters<typeof Client>[0]['transport']>

function requestWithDeadline(
  transport: typeof http | typeof https,
  timeoutMs: number
): typeof https.request {
  const request = (
    options: https.RequestOptions,
    onResponse: (response: http.IncomingMessage) => void
  ) => {
    const bodyBytes = Number(
      (options.headers as Record<string, string> | undefined)?.['content-length'] ?? 0
    )
    const deadlineMs = timeoutMs + bodyBytes / slowestBytesPerMs
    const outgoing = transport.request(options, (response) => {
      clearTimeout(timer)
      outgoing.setTimeout(timeoutMs, () =>
        outgoing.destroy(new Error(`the answer stopped for ${timeoutMs} ms`))
      )
      onResponse(response)
      if (unreadStatuses.has(response.statusCode ?? 0)) response.resume()
    })
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${Math.round(deadlineMs)} ms`)),
      deadlineMs
    )
    outgoing.on('close', () => clearTimeout(timer))
    return outgoing
  }
  return request as typeof https.request
}

function parseEndpoint(endpoint: string): URL {
  if (/^https?:\/\//.test(endpoint) && URL.canParse(endpoint)) return new URL(endpoint)
  throw appError(
    'invalid_request',
    `The S3 endpoint must be an http:// or https:// URL, not ${JSON.stringify(endpoint)}.`
  )
}
