// Names of COCO's classes, for detectors whose files name none.

/** Of the 80 classes, in their order; a slash where an id of the 91 is not used. */
const listed =
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,/,stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,/,backpack,umbrella,/,/,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,/,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,/,dining table,/,/,toilet,/,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,/,book,clock,vase,scissors,teddy bear,hair drier,toothbrush'
const byId = ['/', ...listed.split(',')]

/** Names of 80 classes, or of 91 ids from 0; undefined for another number. */
export function cocoClasses(count: number): string[] | undefined {
  if (count === 80) return byId.filter((name) => name !== '/')
  if (count !== byId.length) return undefined
  return byId.map((name, id) => (name === '/' ? `class ${id}` : name))
}
