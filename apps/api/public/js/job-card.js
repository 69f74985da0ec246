// The card of a job: bar, counts, rate, and failed items on demand. The card is updated in place,
// so focus and open parts stay.
import { api } from './api.js'
import { byId, h, setText } from './dom.js'
import { createFailedList } from './failed-list.js'
import * as format from './format.js'
import { showProblem } from './problem.js'

const parts = ['indexed', 'superseded', 'failed']
const rateWindowMs = 8000
const isOpen = (job) => job.state === 'queued' || job.state === 'running'
const doneOf = ({ indexed, superseded, failed }) => indexed + superseded + failed

/**
 * Images per second over the last seconds that the page watched; for a finished job, over the whole
 * life of the job.
 */
function createRate() {
  const seen = []
  return (job) => {
    if (job.finished_at !== null) {
      const tookMs = new Date(job.finished_at) - new Date(job.created_at)
      return tookMs > 0 ? (1000 * doneOf(job.counts)) / tookMs : null
    }
    const now = performance.now()
    seen.push({ at: now, done: doneOf(job.counts) })
    while (seen.length > 2 && now - seen[0].at > rateWindowMs) seen.shift()
    const [first] = seen
    return now - first.at > 500 && doneOf(job.counts) > first.done
      ? (1000 * (doneOf(job.counts) - first.done)) / (now - first.at)
      : null
  }
}

function factsOf(job, rate) {
  const { counts } = job
  const facts = [
    `${format.count(doneOf(counts))} of ${format.plural(counts.total, 'picture', 'pictures')}`
  ]
  if (counts.cancelled > 0) facts.push(`${format.count(counts.cancelled)} left out`)
  if (counts.superseded > 0) facts.push(`${format.count(counts.superseded)} superseded`)
  if (rate !== null && doneOf(counts) > 0) facts.push(format.rate(rate))
  if (rate && isOpen(job)) facts.push(`${format.duration((1000 * counts.pending) / rate)} left`)
  if (job.finished_at !== null)
    facts.push(`took ${format.duration(new Date(job.finished_at) - new Date(job.created_at))}`)
  if (job.seq !== null) facts.push(`seq ${job.seq}`)
  return facts
}

const askMs = 5000

/** A button that asks once more before it ends the job. */
function createCancel(id, onEnded) {
  const button = h('button', { type: 'button', class: 'quiet job-cancel', text: 'Cancel' })
  let timer = null
  const rest = () => {
    timer = null
    setText(button, 'Cancel')
  }
  button.addEventListener('click', async () => {
    if (timer === null) {
      setText(button, 'What is not applied yet is left out. Cancel it?')
      timer = setTimeout(rest, askMs)
      return
    }
    clearTimeout(timer)
    button.disabled = true
    try {
      await api.cancelJob(id)
    } catch (error) {
      showProblem(byId('page-problem'), error)
    } finally {
      button.disabled = false
      rest()
      onEnded()
    }
  })
  return button
}

/** `onEnded`: called after a cancel was asked for. */
export function createJobCard(id, { onEnded }) {
  const rateOf = createRate()
  const name = h('strong', { class: 'job-name' })
  const state = h('span', { class: 'state' })
  const when = h('span', { class: 'hint when' })
  const facts = h('p', { class: 'job-facts' })
  const waiting = h('p', { class: 'hint job-waiting' })
  const fills = parts.map((part) => h('span', { class: `fill ${part}` }))
  const bar = h(
    'div',
    { class: 'progress', role: 'progressbar', 'aria-label': 'Pictures done' },
    ...fills
  )
  const cancel = createCancel(id, onEnded)
  const failed = createFailedList((after) => api.job(id, after))
  const root = h(
    'li',
    { class: 'card job', data: { job: id } },
    h('div', { class: 'job-title' }, name, state, when, cancel),
    bar,
    facts,
    waiting,
    failed.root
  )

  return {
    root,
    update(job) {
      const { counts } = job
      root.dataset.state = job.state
      setText(name, job.collection)
      setText(state, job.state)
      cancel.hidden = !isOpen(job)
      setText(when, [job.source, format.clockTime(job.created_at)].filter(Boolean).join(', '))
      facts.replaceChildren(...factsOf(job, rateOf(job)).map((text) => h('span', { text })))
      waiting.hidden = job.waiting === null
      setText(waiting, job.waiting === null ? '' : `Waits: ${job.waiting.detail}`)
      bar.setAttribute('aria-valuemin', '0')
      bar.setAttribute('aria-valuemax', String(counts.total))
      bar.setAttribute('aria-valuenow', String(doneOf(counts)))
      parts.forEach((part, index) => {
        fills[index].style.width =
          `${counts.total === 0 ? 0 : (100 * counts[part]) / counts.total}%`
      })
      failed.update(counts.failed)
    }
  }
}
