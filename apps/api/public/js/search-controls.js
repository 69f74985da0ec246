// The number of hits, the least score and the weights of parts. Without the tick, the collection's
// own threshold counts.
import { byId } from './dom.js'
import { createSearchWeights } from './search-weights.js'

const settleMs = 250

export function createSearchControls({ onChange, collections }) {
  const k = byId('k')
  const on = byId('threshold-on')
  const slider = byId('threshold')
  const weights = createSearchWeights({ onChange: () => changed(), collections })
  let timer = null

  /** Name of the value that a threshold is compared with: with a `cohort_weight`, the margin. */
  const measure = () => (collections.current()?.settings?.cohort_weight > 0 ? 'margin' : 'score')
  const threshold = () => (on.checked ? Number(slider.value) : null)

  function paint() {
    weights.paint()
    slider.disabled = !on.checked
    byId('threshold-name').textContent = `Minimum ${measure()}`
    slider.setAttribute('aria-label', `Minimum ${measure()}`)
    const own = collections.current()?.settings?.score_thres
    const inherited = typeof own === 'number' ? `collection’s: ${own}` : 'none'
    byId('threshold-value').textContent = on.checked ? Number(slider.value).toFixed(2) : inherited
  }
  function changed() {
    paint()
    clearTimeout(timer)
    timer = setTimeout(onChange, settleMs)
  }
  for (const input of [on, slider]) input.addEventListener('input', changed)
  k.addEventListener('input', () => {
    if (k.validity.valid && k.value !== '') changed()
  })
  byId('controls').addEventListener('submit', (event) => event.preventDefault())
  paint()
  return {
    paint,
    threshold,
    measure,
    /** Form fields of the search request. */
    fields: () => ({
      k: k.validity.valid && k.value !== '' ? k.value : 5,
      ...(on.checked ? { score_thres: threshold() } : {}),
      ...weights.fields()
    })
  }
}
