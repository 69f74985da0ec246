// A process of its own: asks /livez every 10 ms. Prints the slowest answer in milliseconds for each
// line on stdin, and starts anew.
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

const [url] = process.argv.slice(2) as [string]
let slowestMs = 0
createInterface({ input: process.stdin }).on('line', () => {
  process.stdout.write(`${slowestMs.toFixed(1)}\n`)
  slowestMs = 0
})
for (;;) {
  const startedMs = performance.now()
  await (await fetch(`${url}/livez`)).text()
  slowestMs = Math.max(slowestMs, performance.now() - startedMs)
  await pause(10)
}
