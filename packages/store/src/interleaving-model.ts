// Helpers of the interleaving tests: the answers of a store with whole operations, and a gate that
// stalls a write at a step.

export type Operation =
  | 'put'
  | 'create'
  | 'swap'
  | 'swap stale'
  | 'delete'
  | 'get'
  | 'swap 40 times'

export interface Start {
  value: string
  etag: string
}

type Scene = { first: Operation; others: Operation[] }

/**
 * Returns every result of a store in which the first operation happens at one instant among the
 * others.
 */
export function allowed(scene: Scene, start: Start): string[] {
  return Array.from({ length: scene.others.length + 1 }, (_, at) => outcome(scene, start, at))
}

export function neverHappened(scene: Scene, start: Start): string {
  return outcome(scene, start, -1)
}

function outcome(scene: Scene, start: Start, at: number): string {
  const model = { value: start.value, tag: 'start' }
  const first = createModelActor(model, 'first')
  const other = createModelActor(model, 'other')
  let firstSaw = ''
  const seen: string[] = []
  for (let i = 0; i <= scene.others.length; i++) {
    if (i === at) firstSaw = first(scene.first)
    const operation = scene.others[i]
    if (operation) seen.push(other(operation))
  }
  return JSON.stringify([firstSaw, ...seen, model.value])
}

function createModelActor(model: { value: string; tag: string }, name: string) {
  let tag = 'start'
  let writes = 0
  const write = (value: string) => {
    model.value = value
    tag = model.tag = `${name} ${value}`
    return 'held'
  }
  return function run(operation: Operation): string {
    const body = `${name}${(writes += 1)}`
    const exists = model.value !== 'absent'
    switch (operation) {
      case 'get':
        if (name === 'other' && exists) tag = model.tag
        return model.value
      case 'put':
        write(body)
        return 'done'
      case 'delete':
        model.value = 'absent'
        return 'done'
      case 'create':
        return exists ? 'not held' : write(body)
      case 'swap':
        return exists && model.tag === tag ? write(body) : 'not held'
      case 'swap stale':
        return exists && model.tag === 'start' ? write(body) : 'not held'
      case 'swap 40 times': {
        if (!exists || model.tag !== tag) return 'held 0'
        for (let i = 1; i <= 40; i++) write(`often${i}`)
        return 'held 40'
      }
    }
  }
}

/**
 * `stalled` resolves when a write reaches the armed gate. The write waits there until `release`.
 */
export function stallAt(wanted: string) {
  let armed = false
  let release = () => {}
  let arrive = () => {}
  const stalled = new Promise<void>((resolve) => (arrive = resolve))
  const released = new Promise<void>((resolve) => (release = resolve))
  const onStep = async (step: string) => {
    if (!armed || step !== wanted) return
    armed = false
    arrive()
    await released
  }
  return { onStep, stalled, arm: () => void (armed = true), release: () => release() }
}
