// The tests that show the promises of the README, one or more each, by file and name.
// `npm test` runs those of the group `integration` alone, and the others with their whole group;
// `npm run test:all` runs every test.
//
// P1: an acknowledged ingest, upsert or delete is never lost
// P2: it takes effect once, in the order of acceptance
// P3: deleted and superseded things never reappear
// P4: a search sees one committed version, whole
// P5: bad input gets a typed answer or a failed item
// P6: a replica says how far behind it is
const stack = (name) => `test/integration/stack/${name}.test.ts`

export const promises = [
  {
    shows: ['P1', 'P2'],
    group: 'integration',
    file: stack('kill-9'),
    test:
      'after kill -9 of the index-worker in the middle of an import ' +
      'the job ends with every item exactly once'
  },
  {
    shows: ['P2', 'P3'],
    group: 'integration',
    file: stack('order'),
    test: 'a slow first version does not overwrite a fast second one'
  },
  {
    shows: ['P1', 'P3'],
    group: 'integration',
    file: stack('order'),
    test: 'a delete acknowledged while its item is being embedded holds, also for the next owner'
  },
  {
    shows: ['P4'],
    group: 'integration',
    file: stack('consistency'),
    test:
      '40 versions while clients search on three apis all the time: ' +
      'no answer fails, and none mixes two versions'
  },
  {
    shows: ['P5'],
    group: 'integration',
    file: stack('bad-input'),
    test: 'in one import each bad picture and line fails with its code and everything else arrives'
  },
  {
    shows: ['P6'],
    group: 'integration',
    file: stack('consistency'),
    test: 'a replica that cannot read the newest version says how far behind it is, and catches up'
  }
]

export const shownBy = (group) => promises.filter((shown) => shown.group === group)
