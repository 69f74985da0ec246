// Sends a PING over a fresh connection: checks that Redis accepts the password and has its data
// loaded.
import { connect } from 'node:net'

export function pingRedis({
  port,
  password,
  timeoutMs = 1_000
}: {
  port: number
  password: string
  timeoutMs?: number
}): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    let answer = ''
    const finish = (isUp: boolean): void => {
      socket.destroy()
      resolve(isUp)
    }
    socket.setTimeout(timeoutMs, () => finish(false))
    socket.on('error', () => finish(false))
    socket.on('close', () => finish(false))
    socket.on('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`))
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1')
      if (answer.split('\r\n').length > 2) finish(answer === '+OK\r\n+PONG\r\n')
    })
  })
}
