// Builds the parts of the page and switches between the two views.
import { forgetKey, storedKey } from './api.js'
import { createCollections } from './collections.js'
import { byId } from './dom.js'
import { watchIncoming } from './incoming.js'
import { createJobsView } from './jobs-view.js'
import { createSearchView } from './search-view.js'

const collections = createCollections()
const views = {
  search: { view: createSearchView({ collections }), say: 'Search with this picture' },
  jobs: { view: createJobsView({ collections }), say: 'Add these pictures' }
}
const shownView = () => (location.hash === '#jobs' ? 'jobs' : 'search')

function paintViews() {
  const shown = shownView()
  const usable = collections.current() !== null
  for (const name of Object.keys(views)) byId(`view-${name}`).hidden = name !== shown || !usable
  for (const link of document.querySelectorAll('[data-view]')) {
    if (link.dataset.view === shown) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
}
function paintKey() {
  byId('forget-key').hidden = storedKey() === null
}

collections.onChange(paintViews)
window.addEventListener('hashchange', () => {
  paintViews()
  window.scrollTo(0, 0)
})
document.addEventListener('key-changed', paintKey)
byId('forget-key').addEventListener('click', () => {
  forgetKey()
  location.reload()
})
watchIncoming(() => {
  if (collections.current() === null || document.querySelector('dialog[open]')) return null
  const { view, say } = views[shownView()]
  return { say, take: view.take }
})
paintViews()
paintKey()
// The first look also loads the collections. The page keeps trying while the server is away.
await views.jobs.view.poll()
