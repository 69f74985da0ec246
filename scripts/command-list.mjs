// The commands of the program, in the order of the help, each with a line on its work.
export const commandList = {
  build: "brings the pictures of a gallery's yaml into its collection",
  append: 'adds the pictures of a list to a gallery',
  remove: 'takes the items of a list out of a gallery',
  search: 'says what is on a picture, or on every picture of a folder',
  export: 'writes a gallery as a standard Faiss index with its id map',
  'import-gallery': 'takes over a PP-ShiTu gallery, or an exported one',
  up: "starts this machine's stack in the background",
  down: 'stops it',
  serve: 'keeps a stack up in the foreground',
  status: 'shows what runs and what it holds',
  jobs: 'lists jobs, or the failed items of one',
  eval: 'measures how well a set of labelled pictures is recognised',
  model: 'brings in your own YOLO, and shows and measures models',
  profile: "learns a projection from a gallery's own pictures, and shows those there are",
  verify: "reads a collection's files against its manifest",
  rebuild: 'makes a collection again from its log, also a damaged one',
  alias: 'gives collections second names that move in one step',
  demo: 'draws a gallery of brand marks and searches scenes in it',
  example: 'draws a gallery of products, vehicles or logos, and counts the right answers',
  start: 'keeps a stack up with that gallery loaded'
}
