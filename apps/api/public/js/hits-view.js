// The answer: a verdict, a tab for each object, and the hits of the chosen object.
import { h } from './dom.js'
import * as format from './format.js'
import { hueOf } from './picture.js'
import { remoteImage } from './remote-image.js'

/** Tab of the best hits over all objects. */
const overall = -1

export function objectLabel(object, index) {
  if (object.kind === 'whole') return 'Whole picture'
  if (object.kind === 'given') return 'Your box'
  if (object.kind === 'tile') return 'Part of it'
  return `${object.class ?? 'object'} ${index + 1}`
}

/** Finds the object of an overall hit: the object that has the same item with the same score. */
function originOf(hit, objects) {
  return objects.findIndex((object) =>
    object.hits.some((own) => own.id === hit.id && own.score === hit.score)
  )
}

/** Shows how far a hit stands out, where the collection asks for margins. */
const marginOf = (hit) =>
  hit.margin === undefined
    ? null
    : h('span', {
        class: 'margin',
        title: 'how far it stands out from other labels',
        text: `margin ${format.score(hit.margin)}`
      })

/** Shows how often a hit like this one is the same thing. */
const sureOf = (hit) =>
  hit.confidence === null
    ? null
    : h('span', {
        class: 'sure',
        title: 'how often a hit like this one is the same thing',
        text: `${format.percent(hit.confidence)} sure`
      })

function hitRow({ hit, rank, objectIndex, hue, actions }) {
  const bar = h('span', { class: 'bar', 'aria-hidden': 'true' }, h('span', { class: 'bar-fill' }))
  bar.firstChild.style.width = `${100 * Math.min(1, Math.max(0, hit.score))}%`
  const name = hit.label ?? hit.id
  const row = h(
    'li',
    {
      class: format.isDoubtful(hit) ? 'hit doubtful' : 'hit',
      data: { object: String(objectIndex), id: hit.id, hue }
    },
    h('span', { class: 'rank', text: String(rank) }),
    h(
      'button',
      {
        type: 'button',
        class: 'thumb',
        'aria-label': `Open ${name}`,
        on: { click: () => actions.onOpen(hit, objectIndex) }
      },
      remoteImage([hit.thumbnail, hit.image], '')
    ),
    h(
      'div',
      { class: 'hit-text' },
      h('p', {
        class: hit.label === null ? 'hit-label none' : 'hit-label',
        text: hit.label ?? 'no label'
      }),
      h('p', { class: 'hit-id', title: hit.id, text: hit.id }),
      h(
        'p',
        { class: 'hit-score' },
        bar,
        h('span', {
          class: 'score',
          title: `${hit.metric} ${hit.distance}`,
          text: format.score(hit.score)
        }),
        sureOf(hit),
        marginOf(hit)
      )
    ),
    h('button', {
      type: 'button',
      class: 'quiet delete',
      'aria-label': `Delete ${name}`,
      title: 'Delete',
      on: { click: () => actions.onDelete(hit) }
    })
  )
  row.addEventListener('pointerenter', () => actions.onHover(objectIndex))
  row.addEventListener('pointerleave', () => actions.onHover(null))
  row.addEventListener('focusin', () => actions.onHover(objectIndex))
  row.addEventListener('focusout', () => actions.onHover(null))
  return row
}

function verdict(answer, { threshold, measure }) {
  const best = answer.hits[0]
  if (best) {
    const same = answer.hits.filter((hit) => hit.label === best.label).length
    const count = answer.hits.length
    const agreement = count === 1 ? ', the only hit' : `, ${same} of ${count} hits have this label`
    const why = best.label === null ? ', no label' : agreement
    const name = best.label ?? best.id
    if (answer.verdict === 'unknown')
      return h(
        'div',
        { class: 'verdict unknown' },
        h('h2', { text: 'Unknown' }),
        h(
          'p',
          {},
          'looks most like ',
          h('strong', { text: name }),
          `: ${format.percent(best.confidence)} sure, best score `,
          h('span', { class: 'verdict-score', text: format.score(best.score) })
        )
      )
    const sure =
      best.confidence === null
        ? 'how sure is not known yet, '
        : `${answer.verdict}, ${format.percent(best.confidence)} sure, `
    return h(
      'div',
      { class: `verdict ${answer.verdict}` },
      h('h2', { text: name }),
      h(
        'p',
        {},
        `${sure}best score `,
        h('span', { class: 'verdict-score', text: format.score(best.score) }),
        best.margin === undefined ? '' : `, margin ${format.score(best.margin)}`,
        why
      )
    )
  }
  const limit =
    threshold === null
      ? 'above the threshold of this collection'
      : `of ${threshold.toFixed(2)} or above`
  return h(
    'div',
    { class: 'verdict unknown' },
    h('h2', { text: 'Unknown' }),
    h('p', { text: `Nothing in ${answer.collection} has a ${measure} ${limit}.` })
  )
}

/** actions: onHover(objectIndex | null), onOpen(hit, objectIndex), onDelete(hit). */
export function createHitsView({ root, actions }) {
  let answer = null
  let selected = overall

  const list = h('ol', {
    class: 'hits',
    role: 'tabpanel',
    id: 'hits',
    tabindex: '-1',
    'aria-labelledby': ''
  })
  const tabs = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Objects found' })

  function tab(index, label, { hits, verdict: found }, hue) {
    const best = found === 'unknown' ? undefined : hits[0]
    return h(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `tab-${index}`,
        class: 'tab',
        'aria-controls': 'hits',
        data: { tab: String(index), hue },
        on: {
          click: () => select(index),
          pointerenter: () => actions.onHover(index === overall ? null : index),
          pointerleave: () => actions.onHover(null)
        }
      },
      h('span', { class: 'tab-name', text: label }),
      h('span', {
        class: 'tab-best',
        text: best ? `${best.label ?? best.id} ${best.score.toFixed(2)}` : 'unknown'
      })
    )
  }

  function select(index, focus = false) {
    selected = index
    for (const node of tabs.children) {
      const own = node.dataset.tab === String(index)
      node.setAttribute('aria-selected', String(own))
      node.tabIndex = own ? 0 : -1
      if (own && focus) node.focus()
    }
    list.setAttribute('aria-labelledby', `tab-${index}`)
    const hits = index === overall ? answer.hits : answer.objects[index].hits
    const rows = hits.map((hit, at) => {
      const objectIndex = index === overall ? originOf(hit, answer.objects) : index
      const whole = answer.objects[objectIndex]?.kind === 'whole'
      return hitRow({
        hit,
        rank: at + 1,
        objectIndex,
        hue: whole ? 'whole' : hueOf(Math.max(0, objectIndex)),
        actions
      })
    })
    list.replaceChildren(
      ...(rows.length > 0
        ? rows
        : [
            h('li', {
              class: 'no-hits',
              text: index === overall ? 'No hit for any object.' : 'No hit for this one: unknown.'
            })
          ])
    )
  }

  tabs.addEventListener('keydown', (event) => {
    const all = [...tabs.children].map((node) => Number(node.dataset.tab))
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    const ends = { Home: 0, End: all.length - 1 }
    const next =
      ends[event.key] ?? (step && (all.indexOf(selected) + step + all.length) % all.length)
    if (next === undefined) return
    event.preventDefault()
    select(all[next], true)
  })

  return {
    select,
    /**
     * `limit`: {threshold, measure}. `threshold` is null for the collection's own; `measure` is the
     * value that the threshold is compared with.
     */
    show(next, limit) {
      answer = next
      const objects = next.objects.map((object, index) =>
        tab(
          index,
          objectLabel(object, index),
          object,
          object.kind === 'whole' ? 'whole' : hueOf(index)
        )
      )
      tabs.replaceChildren(
        ...(objects.length === 1 ? [] : [tab(overall, 'Best of all', next, 'none')]),
        ...objects
      )
      const took = next.took_ms
      root.replaceChildren(
        verdict(next, limit),
        tabs,
        list,
        h(
          'p',
          { class: 'took' },
          h(
            'span',
            {},
            h('strong', { text: format.ms(took.total) }),
            ` in all: ${format.ms(took.embed)} embedding, ${format.ms(took.search)} search`
          ),
          h('span', { text: `index seq ${next.index_seq}` })
        )
      )
      select(objects.length === 1 ? 0 : overall)
    },
    /** Marks the hits that belong to an object's box; null removes the marks. */
    highlight(index) {
      list.dataset.lit = index === null ? '' : 'yes'
      for (const node of list.children)
        node.classList.toggle('lit', node.dataset.object === String(index))
    },
    remove(id) {
      if (answer === null) return
      answer.hits = answer.hits.filter((hit) => hit.id !== id)
      for (const object of answer.objects) object.hits = object.hits.filter((hit) => hit.id !== id)
      select(selected)
    }
  }
}
