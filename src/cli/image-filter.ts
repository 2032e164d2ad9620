/** Images as lists show them, and `--filter` of them. */

import type { Engine } from '../engine/open-engine.ts';
import { tsrunError } from '../errors.ts';
import { isIdPrefix } from '../spec/digest.ts';
import { type ImageRecord, isDangling } from '../store/image-record.ts';
import { imageSize, imageUses, type ListedImage } from './image-row.ts';
import { say } from './output.ts';
import { type Filter, labelMatches, matchesFilters, truthOf } from './parse/filter.ts';
import { matchesReference } from './parse/reference-pattern.ts';
import { parseMoment } from './parse/time.ts';

export const IMAGE_FILTERS = [
  'dangling',
  'reference',
  'label',
  'label!',
  'before',
  'since',
  'after',
  'until',
  'id',
  'digest',
  'containers',
  'readonly',
  'intermediate',
] as const;

/** The image of that name or id. Throws ERR_TSRUN_IMAGE_NOT_LOCAL, ERR_TSRUN_IMAGE_AMBIGUOUS. */
export function localImage(engine: Engine, name: string): ImageRecord {
  const record = engine.images.resolve(name);
  if (record === undefined) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: name });
  return record;
}

/** The image with what the list says of it; damaged ones are listed too, so that they can be removed. */
function look(engine: Engine, record: ImageRecord): ListedImage {
  try {
    const { created, config } = engine.images.config(record);
    return { record, created, size: imageSize(engine, record), labels: config?.Labels ?? {} };
  } catch (error) {
    say(`tsrun: warning: ${(error as Error).message}\n`);
    return { record, created: undefined, size: imageSize(engine, record), labels: {} };
  }
}

/** Milliseconds since 1970; times come with and without fractions, so that their texts do not compare. */
const moment = (time: string | undefined): number => Date.parse(time ?? '') || 0;

type ImageFilter = Filter<(typeof IMAGE_FILTERS)[number]>;
type Test = (image: ListedImage) => boolean;

function idTest(value: string): Test {
  return ({ record }) => isIdPrefix(value, record.imageId);
}

/** What one filter asks of an image. Throws ERR_TSRUN_USAGE, ERR_TSRUN_IMAGE_NOT_LOCAL. */
function testOf(engine: Engine, filter: ImageFilter): Test {
  const { key, value } = filter;
  const createdOf = (): number => moment(engine.images.config(localImage(engine, value)).created);
  switch (key) {
    case 'dangling': {
      const wanted = truthOf(filter);
      return ({ record }) => isDangling(record) === wanted;
    }
    case 'reference':
      return ({ record }) => !isDangling(record) && matchesReference(record.reference, value);
    case 'label':
      return ({ labels }) => labelMatches(labels, value);
    case 'label!':
      return ({ labels }) => !labelMatches(labels, value);
    case 'id':
      return idTest(value);
    case 'digest':
      return ({ record }) =>
        [record.digest, record.manifestDigest].some((digest) => digest.startsWith(value));
    case 'containers': {
      const [wanted, used] = [truthOf(filter), imageUses(engine)];
      return ({ record }) => used(record) > 0 === wanted;
    }
    case 'readonly':
    case 'intermediate': {
      const wanted = truthOf(filter);
      return () => !wanted; // there are none
    }
    case 'before': {
      const created = createdOf();
      return (image) => moment(image.created) < created;
    }
    case 'since':
    case 'after': {
      const created = createdOf();
      return (image) => moment(image.created) > created;
    }
    case 'until': {
      const until = moment(parseMoment(value, '--filter until=', Date.now()));
      return (image) => image.created !== undefined && moment(image.created) < until;
    }
  }
}

/** The newest first. Damaged records are told of. Throws ERR_TSRUN_USAGE, ERR_TSRUN_IMAGE_NOT_LOCAL for what a filter names. */
export function selectImages(engine: Engine, filters: readonly ImageFilter[]): ListedImage[] {
  const { images, damaged } = engine.images.survey();
  for (const { path, problem } of damaged) say(`tsrun: warning: ${path}: ${problem}\n`);
  const tests = new Map(filters.map((filter) => [filter, testOf(engine, filter)]));
  return images
    .map((record) => look(engine, record))
    .filter((image) =>
      matchesFilters(filters, (filter) => tests.get(filter)?.(image) ?? false, ['label', 'label!']),
    )
    .sort((a, b) => moment(b.created) - moment(a.created));
}
