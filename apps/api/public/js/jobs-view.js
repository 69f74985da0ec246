// Keeps the jobs up to date: each second while a job is open, else each five seconds, slower and
// slower while the server is away.
import { api } from './api.js'
import { announce, byId, h, setText } from './dom.js'
import * as format from './format.js'
import { createJobCard } from './job-card.js'
import { showProblem } from './problem.js'
import { createUploadForm } from './upload-form.js'

const busyMs = 1000
const idleMs = 5000
const slowestMs = 30_000
const isOpen = (job) => job.state === 'queued' || job.state === 'running'

export function createJobsView({ collections }) {
  const list = byId('job-list')
  const cards = new Map()
  const seen = new Map() // id -> {done, open} at the last look
  let failures = 0
  let timer = null
  let polling = false

  function paint(jobs) {
    const newest = jobs.toSorted((a, b) => b.created_at.localeCompare(a.created_at))
    const ids = new Set(newest.map((job) => job.id))
    for (const [id, card] of cards)
      if (!ids.has(id)) {
        card.root.remove()
        cards.delete(id)
      }
    newest.forEach((job, index) => {
      if (!cards.has(job.id))
        cards.set(job.id, createJobCard(job.id, { onEnded: () => void poll() }))
      const card = cards.get(job.id)
      card.update(job)
      if (list.children[index] !== card.root)
        list.insertBefore(card.root, list.children[index] ?? null)
    })
    list.querySelector('.no-jobs')?.remove()
    if (jobs.length === 0)
      list.append(
        h('li', {
          class: 'no-jobs',
          text: 'No jobs yet. Pictures added here, or through the API, show their progress in this place.'
        })
      )
  }

  /** Returns true when items landed in the index since the last look. */
  function noteProgress(jobs) {
    let moved = false
    for (const job of jobs) {
      const done = job.counts.total - job.counts.pending
      const before = seen.get(job.id)
      if (before === undefined ? !isOpen(job) : before.done !== done || before.open !== isOpen(job))
        moved = true
      if (before?.open && !isOpen(job))
        announce(
          `Job on ${job.collection} ${job.state}: ${job.counts.indexed} indexed, ${job.counts.failed} failed.`
        )
      seen.set(job.id, { done, open: isOpen(job) })
    }
    return moved
  }

  async function look() {
    const jobs = await api.jobs(collections.current()?.name)
    paint(jobs)
    const open = jobs.filter(isOpen).length
    byId('open-jobs').hidden = open === 0
    setText(byId('open-jobs'), String(open))
    setText(byId('jobs-status'), open === 0 ? '' : format.plural(open, 'job open', 'jobs open'))
    showProblem(byId('page-problem'), null)
    // While no job is open, each look also refreshes the counts: the replica that answered may have
    // been behind, or another client may have changed the collection.
    if (noteProgress(jobs) || open === 0) await collections.refresh()
    failures = 0
    return open > 0 ? busyMs : idleMs
  }

  async function poll() {
    if (polling) return
    polling = true
    clearTimeout(timer)
    let waitMs
    try {
      waitMs = await look()
    } catch (error) {
      failures += 1
      waitMs = Math.min(slowestMs, busyMs * 2 ** failures)
      showProblem(byId('page-problem'), error, () => void poll())
    } finally {
      polling = false
    }
    // A hidden tab needs no fast progress.
    timer = setTimeout(() => void poll(), document.hidden ? slowestMs : waitMs)
  }

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void poll()
  })
  const upload = createUploadForm({ collections, onAdded: () => void poll() })
  return { poll, take: upload.take }
}
