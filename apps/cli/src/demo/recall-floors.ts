// The recall that models/likeness-nano/README.md requires of a demo with 1000 marks and such
// scenes.

export const recallFloors = { at1: 0.85, at5: 0.93 }
