// Controls the second process: asks a single question at a time.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answers, Ask } from './reader-process.ts'

export interface SecondProcess {
  ask(what: Ask): Promise<Answers>
  stop(): void
}

export function startSecondProcess(): SecondProcess {
  const child = fork(fileURLToPath(new URL('reader-process.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced'
  })
  return {
    ask(what) {
      return new Promise((resolve, reject) => {
        const ended = (code: number | null, signal: string | null) =>
          reject(new Error(`the second process ended with ${code ?? signal}`))
        child.once('exit', ended)
        child.once('message', (answers) => {
          child.off('exit', ended)
          const { failure } = answers as Answers
          if (failure === undefined) resolve(answers as Answers)
          else reject(new Error(`second process: ${failure}`))
        })
        child.send(what)
      })
    },
    stop: () => void child.disconnect()
  }
}
