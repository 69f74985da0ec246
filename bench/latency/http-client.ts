// Vector searches over HTTP with connections that are kept, and as little work in this process as there can be.
import { Agent, request } from 'node:http'

export interface SearchClient {
  /** The `x-index-seq` of the last answer for a collection. */
  seqOf(collection: string): number
  /** Milliseconds from the first byte sent to the last received. Rejects unless the answer is 200. */
  search(body: Buffer, collection?: string): Promise<number>
  close(): void
}

export const searchBody = (vector: Float32Array, options: { k: number; search_budget: number }): Buffer => Buffer.from(JSON.stringify({ vector: [...vector], ...options }))

export function createSearchClient({ url, collection: standard, clients }: { url: string; collection: string; clients: number }): SearchClient {
  const seqs = new Map<string, number>()
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  return {
    seqOf: (collection) => seqs.get(collection) ?? 0,
    search(body, collection = standard) {
      return new Promise((resolve, reject) => {
        const startedMs = performance.now()
        const headers = { 'content-type': 'application/json', 'content-length': body.length }
        const sent = request(`${url}/v1/collections/${collection}/search`, { method: 'POST', agent, headers }, (res) => {
          const chunks: Buffer[] = []
          seqs.set(collection, Number(res.headers['x-index-seq'] ?? 0))
          res.on('data', (chunk: Buffer) => chunks.push(chunk))
          res.on('error', reject)
          res.on('end', () => {
            if (res.statusCode === 200) resolve(performance.now() - startedMs)
            else reject(new Error(`search answered ${res.statusCode}: ${Buffer.concat(chunks).toString().slice(0, 300)}`))
          })
        })
        sent.on('error', reject)
        sent.end(body)
      })
    },
    close: () => agent.destroy()
  }
}
