// Vector searches over HTTP/1.1 on kept sockets. Node's own client takes about as long as the
// server's part, and this measures the server.
import { connect, type Socket } from 'node:net'

export interface SearchClient {
  /** The `x-index-seq` of the last answer for a collection. */
  seqOf(collection: string): number
  /**
   * Milliseconds from the first byte sent to the last received. Rejects unless the answer is 200.
   */
  search(body: Buffer, collection?: string): Promise<number>
  close(): void
}

interface Answer {
  status: number
  indexSeq: number
  body: string
}

export const searchBody = (
  vector: Float32Array,
  options: { k: number; search_budget: number }
): Buffer => Buffer.from(JSON.stringify({ vector: [...vector], ...options }))

/** undefined until the whole answer is there. */
function parseAnswer(received: Buffer): Answer | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = received.toString('latin1', 0, headEnd)
  const length = /^content-length: (\d+)/im.exec(head)?.[1]
  if (length === undefined) throw new Error(`an answer without a length: ${head}`)
  const body = received.subarray(headEnd + 4)
  if (body.length < Number(length)) return undefined
  return {
    status: Number(head.split(' ')[1]),
    indexSeq: Number(/^x-index-seq: (\d+)/im.exec(head)?.[1] ?? 0),
    body: body.toString()
  }
}

function exchange(socket: Socket, request: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    const settle = (act: () => void): void => {
      socket.removeAllListeners()
      act()
    }
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      try {
        const answer = parseAnswer(received)
        if (answer !== undefined) settle(() => resolve(answer))
      } catch (error) {
        settle(() => reject(error as Error))
      }
    })
    socket.on('error', (error) => settle(() => reject(error)))
    socket.on('close', () => settle(() => reject(new Error('the server closed the connection'))))
    socket.write(request)
  })
}

/** Allows at most `clients` searches at a time. */
export function createSearchClient({
  url,
  collection: standard,
  clients
}: {
  url: string
  collection: string
  clients: number
}): SearchClient {
  const { hostname, port, host } = new URL(url)
  const seqs = new Map<string, number>()
  const open = new Set<Socket>()
  const free: Socket[] = []
  /** Takes a free socket. The server closes sockets that were silent for some seconds. */
  function take(): Socket {
    for (let kept = free.pop(); kept !== undefined; kept = free.pop()) {
      if (!kept.destroyed) return kept
      open.delete(kept)
    }
    if (open.size === clients) throw new Error(`more than ${clients} searches at a time`)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    open.add(socket)
    return socket
  }
  return {
    seqOf: (collection) => seqs.get(collection) ?? 0,
    async search(body, collection = standard) {
      const head = `POST /v1/collections/${collection}/search HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
      const request = Buffer.concat([Buffer.from(head), body])
      const socket = take()
      const startedMs = performance.now()
      const { status, indexSeq, body: answer } = await exchange(socket, request)
      const ms = performance.now() - startedMs
      free.push(socket)
      if (status !== 200) throw new Error(`search answered ${status}: ${answer.slice(0, 300)}`)
      seqs.set(collection, indexSeq)
      return ms
    },
    close: () => open.forEach((socket) => socket.destroy())
  }
}
