/** Names that exist in the store at this moment. A store that cannot be read completes to nothing: a prompt is no place for errors. */
import { existsSync, readdirSync } from 'node:fs';
import type { Context } from '../command.ts';
import type { Kind, LiveNames } from './candidates.ts';

export function liveNames(context: Context): LiveNames {
  return async (kind) => {
    try {
      return [...(await namesOf(kind, context))].sort();
    } catch {
      return [];
    }
  };
}

async function namesOf(kind: Kind, context: Context): Promise<readonly string[]> {
  const { paths, images, containers } = await context.engine();
  const { namesDirectory, networksDirectory, volumesDirectory } = await import('../../store/paths.ts');
  switch (kind) {
    case 'container':
      return list(namesDirectory(paths)).filter((name) => containers.idOfName(name) !== undefined);
    case 'image':
      return images.list().map(({ reference }) => shortened(reference));
    case 'volume':
      return list(volumesDirectory(paths));
    case 'network':
      return [
        'bridge',
        ...list(networksDirectory(paths)).flatMap(jsonName),
        'private',
        'host',
        'none',
        'pasta',
        'slirp4netns',
      ];
  }
}

/** Of `NAME.json`; the default bridge's file is there only once it was needed. */
const jsonName = (file: string): string[] =>
  file.endsWith('.json') && file !== 'bridge.json' ? [file.slice(0, -'.json'.length)] : [];

const list = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory) : []);

/** As a user types it: without what is added by itself. */
const shortened = (reference: string): string =>
  reference.replace(/^docker\.io\/(?:library\/)?/, '').replace(/:latest$/, '');
