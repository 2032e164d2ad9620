/** Names for containers that were given none: two words, as docker and podman do. */
import { tsrunError } from '../errors.ts';
import type { ContainerStore } from '../store/containers.ts';

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

const NUMBERS = 10_000;

/** A name made from the random digits of a container's id, with a number behind it where it is taken. @param isFree asked about each candidate */
function randomName(id: string, isFree: (name: string) => boolean): string {
  const drawn = (place: number): number => Number.parseInt(id.slice(place * 4, place * 4 + 4), 16);
  const name = `${QUALITIES[drawn(0) % QUALITIES.length]}_${THINGS[drawn(1) % THINGS.length]}`;
  if (isFree(name)) return name;
  for (let number = drawn(2); ; number++) {
    const numbered = `${name}${number % NUMBERS}`;
    if (isFree(numbered)) return numbered;
  }
}

/** A name that no container has now. Another command may take it before it is published. */
export const drawName = (containers: ContainerStore, id: string): string =>
  randomName(id, (candidate) => containers.idOfName(candidate) === undefined);

/** @throws ERR_TSRUN_NAME_INVALID */
export function checkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name)) throw tsrunError('ERR_TSRUN_NAME_INVALID', { name });
}
