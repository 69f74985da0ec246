// A child without a process, for tests of the supervisor.
import type { ChildModel, FromChild, ToChild } from '../child-protocol.ts'
import type { StartedTasks } from '../started-tasks-file.ts'
import type { Child } from './child-handle.ts'

export const fakeModel: ChildModel = {
  id: 'fake@1',
  sha256: 'f'.repeat(64),
  embedding: { version: 'fake@1/fake@1', dim: 2, unit: true },
  rawDim: 3,
  classes: ['thing'],
  provider: 'fake'
}

export interface FakeChild extends Child {
  readonly sent: ToChild[]
  /** Ids of the tasks that were sent to the child. */
  taskIds(): number[]
  say(message: FromChild): void
  touch(id: number): void
  finish(id: number): void
  dead: boolean
}

let pids = 1000

export function createFakeChild(): FakeChild {
  const sent: ToChild[] = []
  let listener: (message: FromChild) => void = () => {}
  const touched: number[] = []
  let end!: (touches: StartedTasks) => void
  const gone = new Promise<StartedTasks>((resolve) => (end = resolve))
  const child: FakeChild = {
    pid: pids++,
    model: fakeModel,
    gone,
    sent,
    dead: false,
    send: (message) => void (message.type === 'close' ? child.kill() : sent.push(message)),
    listen: (own) => void (listener = own),
    kill() {
      child.dead = true
      end({ ids: new Set(touched), count: touched.length })
    },
    taskIds: () => sent.flatMap((message) => (message.type === 'task' ? [message.id] : [])),
    say: (message) => listener(message),
    touch: (id) => void touched.push(id),
    finish: (id) =>
      listener({ type: 'done', id, result: { kind: 'thumbnail', jpeg: new Uint8Array([id]) } })
  }
  return child
}

/** Lets pending promises run. */
export const letTasksStart = (): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, 5))
