// TCP ports of the loopback interface.
import { type AddressInfo, createServer } from 'node:net'

function tryListen(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const taken = (server.address() as AddressInfo).port
      server.close(() => resolve(taken))
    })
  })
}

/** Returns a port that is free at this moment. */
export const findFreePort = (): Promise<number> => tryListen(0)

export async function isPortFree(port: number): Promise<boolean> {
  try {
    await tryListen(port)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw error
  }
}
