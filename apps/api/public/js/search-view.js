// The search view: a picture comes in by button, drop, paste or camera; boxes and hits come out.
import { api } from './api.js'
import { createBoxDraw } from './box-draw.js'
import { announce, byId, h } from './dom.js'
import { askToDelete, openHit } from './hit-dialog.js'
import { createHitsView, objectLabel } from './hits-view.js'
import { createPicture } from './picture.js'
import { showProblem } from './problem.js'
import { createSearchControls } from './search-controls.js'
import { shellExample } from './shell-example.js'

export function createSearchView({ collections }) {
  const result = byId('result')
  let query = null // {file, box}
  let answer = null // the answer to the query
  let running = null // AbortController of the running search

  const highlight = (index) => {
    picture.highlight(index)
    hits.highlight(index)
  }
  const picture = createPicture({
    onHover: highlight,
    onSelect: (index) => hits.select(index, true)
  })
  const hits = createHitsView({
    root: result,
    actions: {
      onHover: (index) => picture.highlight(index),
      onOpen: (hit, objectIndex) =>
        openHit(hit, {
          collection: answer.collection,
          query: {
            file: query.file,
            box: answer.objects[objectIndex]?.box ?? null,
            size: picture.size()
          },
          onSearch: (file) => void search(file)
        }),
      onDelete: (hit) =>
        askToDelete(collections.current().name, hit, () => {
          hits.remove(hit.id)
          announce(`${hit.label ?? hit.id} was deleted.`)
          void collections.refresh()
        })
    }
  })
  const draw = createBoxDraw({
    picture,
    onBox: (box) => {
      query.box = box
      void run()
    }
  })
  const controls = createSearchControls({
    onChange: () => {
      if (query) void run()
    },
    collections
  })

  function formOf({ file, box }) {
    const form = new FormData()
    for (const [name, value] of Object.entries(controls.fields())) form.append(name, String(value))
    if (box) form.append('box', JSON.stringify(box))
    form.append('image', file, file.name || 'picture')
    return form
  }

  function setBusy(busy) {
    byId('busy').hidden = !busy
    byId('stage').setAttribute('aria-busy', String(busy))
    result.classList.toggle('stale', busy)
  }

  function show(next) {
    answer = next
    picture.setBoxes(answer.objects, answer.picture, objectLabel)
    hits.show(answer, { threshold: controls.threshold(), measure: controls.measure() })
    byId('clear-box').hidden = query.box === null
    const best = answer.hits[0]
    const found = answer.objects.filter((object) => object.kind === 'subject').length
    const unsure = answer.verdict === 'unknown' ? 'Unknown, looks most like' : 'Best hit'
    byId('search-status').textContent = best
      ? `${unsure} ${best.label ?? best.id}, score ${best.score.toFixed(2)}. ${answer.hits.length} hits, ${found} objects found.`
      : 'Unknown: no hit above the threshold.'
  }

  async function run() {
    const collection = collections.current()
    if (collection === null || query === null) return
    running?.abort()
    const mine = new AbortController()
    running = mine
    setBusy(true)
    showProblem(byId('search-problem'), null)
    try {
      const answer = await api.search(collection.name, formOf(query), mine.signal)
      if (running === mine) show(answer)
    } catch (error) {
      if (running !== mine || error.name === 'AbortError') return
      result.replaceChildren()
      picture.setBoxes([], null, objectLabel)
      showProblem(byId('search-problem'), error, () => void run())
    } finally {
      if (running === mine) setBusy(false)
    }
  }

  async function search(file) {
    if (!file) return
    query = { file, box: null }
    draw.cancel()
    byId('picture-bar').hidden = false
    await picture.show(file)
    byId('draw').hidden = picture.size() === null
    byId('draw-help').hidden = picture.size() === null
    await run()
  }

  function showIdle() {
    const collection = collections.current()
    if (collection === null || query !== null) return
    result.replaceChildren(
      collection.items === 0
        ? h(
            'div',
            { class: 'idle' },
            h('h2', { text: `${collection.name} is empty` }),
            h(
              'p',
              {},
              'There is nothing to recognise yet. ',
              h('a', { href: '#jobs', text: 'Add pictures here' }),
              ', or from a shell:'
            ),
            shellExample(
              `-F label=mug -F image=@mug.jpg ${location.origin}/v1/collections/${collection.name}/images`
            )
          )
        : h(
            'div',
            { class: 'idle' },
            h('h2', { text: 'Every object gets its own answer' }),
            h('p', {
              text: 'Likeness finds the things in a picture, compares each with the collection and shows the nearest items. When nothing is near enough it says unknown.'
            }),
            h('p', { class: 'hint', text: 'The same from a shell:' }),
            shellExample(
              `-F k=5 -F image=@photo.jpg ${location.origin}/v1/collections/${collection.name}/search`
            )
          )
    )
  }

  for (const [button, input] of [
    ['choose', 'file'],
    ['another', 'file'],
    ['camera', 'camera-file']
  ])
    byId(button).addEventListener('click', () => byId(input).click())
  for (const input of [byId('file'), byId('camera-file')]) {
    input.addEventListener('change', () => {
      void search(input.files[0])
      input.value = ''
    })
  }
  byId('clear-box').addEventListener('click', () => {
    query.box = null
    void run()
  })
  collections.onChange((changed) => {
    controls.paint()
    showIdle()
    if (changed && query) void run()
  })
  return { take: (files) => search(files[0]) }
}
