/** Names for containers that were given none: two words, as docker and podman do. */
import { tsrunError } from '../errors.ts';

const QUALITIES = (
  'able agile amber ample azure bold brave brisk calm clear clever cosy crisp deft eager early easy fair fast fine firm fleet ' +
  'fond free fresh gentle glad golden grand green happy hardy honest humble jolly keen kind lively loyal lucid lucky mellow ' +
  'merry mild neat nimble noble patient plain polite proud quick quiet rapid ready sharp silent simple smart solid sound steady ' +
  'still strong sunny swift tender tidy true vivid warm wise witty'
).split(' ');

const THINGS = (
  'acorn anchor apple arch aspen badger barn basin beacon birch bison bridge brook canyon cedar cliff clover comet coral cove ' +
  'crane creek delta dune eagle ember falcon fern field finch fjord forest fox garden glade grove harbor hazel heron hill ' +
  'island ivy juniper lagoon lake lantern lark linden lynx maple marsh meadow mesa moor moss oak orchard osprey otter owl ' +
  'pebble pine plum pond poplar prairie quail raven reef ridge river robin rowan sparrow spruce stone summit swan thicket tide ' +
  'valley willow wren'
).split(' ');

const randomOf = (below: number): number => Math.floor(Math.random() * below);

/** A name that can be guessed is no harm, so it is Math.random's. @param isFree asked about each candidate */
export function randomName(isFree: (name: string) => boolean): string {
  for (;;) {
    const name = `${QUALITIES[randomOf(QUALITIES.length)]}_${THINGS[randomOf(THINGS.length)]}`;
    if (isFree(name)) return name;
    const numbered = `${name}${randomOf(10000)}`;
    if (isFree(numbered)) return numbered;
  }
}

/** @throws ERR_TSRUN_NAME_INVALID */
export function checkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name)) throw tsrunError('ERR_TSRUN_NAME_INVALID', { name });
}
