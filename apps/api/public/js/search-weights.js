// A number for each part of the collection's embedding. An empty one leaves the weight to the
// collection, which is shown in its place.
import { byId, h } from './dom.js'

export function createSearchWeights({ onChange, collections }) {
  const place = byId('weights')
  const inputs = () => [...place.querySelectorAll('input')]
  const isGiven = (input) => input.value !== '' && input.validity.valid

  function partInput(name) {
    const attributes = { type: 'number', min: 0, max: 100, step: 'any', inputmode: 'decimal' }
    const input = h('input', { ...attributes, data: { part: name }, on: { input: onChange } })
    return h('label', {}, `${name} `, input)
  }

  return {
    paint() {
      const weights = collections.current()?.weights ?? {}
      const names = Object.keys(weights)
      place.hidden = names.length < 2
      // New inputs would lose what was typed.
      if (
        names.join() !==
        inputs()
          .map(({ dataset }) => dataset.part)
          .join()
      )
        place.replaceChildren('Weights', ...names.map(partInput))
      for (const input of inputs()) input.placeholder = String(weights[input.dataset.part])
    },
    /** Form fields of the search request. */
    fields() {
      const given = inputs().filter(isGiven)
      const pairs = given.map(({ dataset, value }) => [dataset.part, Number(value)])
      return pairs.length === 0 ? {} : { weights: JSON.stringify(Object.fromEntries(pairs)) }
    }
  }
}
