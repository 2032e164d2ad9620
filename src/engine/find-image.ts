/** The image a container is made from: in the store, else at a registry, else among those that come with tsrun. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TsrunError } from '../errors.ts';
import { ensureImage, requireFullName } from '../image/ensure-image.ts';
import type { LayerUnpacker } from '../image/layer-sink.ts';
import type { PullListener } from '../image/pull/events.ts';
import type { RegistryAccess } from '../registry/access.ts';
import { parsePlatform } from '../spec/platform.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { Engine } from './open-engine.ts';
import { isPlaceName } from './place-name.ts';
import type { PullPolicy } from './request.ts';
import { engineHooks, engineUnpacker } from './unpacker.ts';

export interface FindImageOptions {
  policy: PullPolicy;
  /** With policy `never`: an image that comes with tsrun will do all the same. */
  orBundled?: boolean | undefined;
  platform?: string | undefined;
  /** How registries are spoken to. */
  access?: RegistryAccess | undefined;
  /** --signature-policy: instead of the policy.json of the user or the system */
  signaturePolicy?: string | undefined;
  /** A name without a registry is refused. */
  strictNames?: boolean | undefined;
  onEvent?: PullListener | undefined;
  signal?: AbortSignal | undefined;
}

/** Images that are built with tsrun, as OCI layouts: `busybox`, `httpd`. */
function bundledLayout(name: string): string | undefined {
  const short = /^(?:localhost\/)?([a-z0-9]+)(?::latest)?$/.exec(name)?.[1];
  if (short === undefined) return undefined;
  const here = typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url));
  const candidates = [`${here}/images/${short}`, `${here}/../../dist/images/${short}`];
  return candidates.find((directory) => existsSync(`${directory}/index.json`));
}

async function loadBundled(
  engine: Engine,
  directory: string,
  name: string,
  options: FindImageOptions,
): Promise<ImageRecord> {
  const { loadLayout } = await import('../image/load-layout.ts');
  return await loadLayout({
    paths: engine.paths,
    directory,
    unpacker: engineUnpacker(engine),
    hooks: engineHooks(engine),
    name: name.startsWith('localhost/') ? name : `localhost/${name}`,
    signal: options.signal,
  });
}

/** Failures after which an image that comes with tsrun will do. */
const NO_REGISTRY = new Set<string>(['ERR_TSRUN_REGISTRY_UNREACHABLE', 'ERR_TSRUN_REGISTRY_RESPONSE']);

async function loadFromPlace(engine: Engine, name: string, options: FindImageOptions): Promise<ImageRecord> {
  const [{ parseLocalPlace }, { loadPlace }] = await Promise.all([
    import('../image/archive/transport.ts'),
    import('./load-place.ts'),
  ]);
  const place = parseLocalPlace(name);
  if (place === undefined) throw new Error(`${name} is no place`);
  return await loadPlace(engine, place, options);
}

/** @param name as the user wrote it; also `oci:DIRECTORY` and its like. @throws what ensureImage() and loadPlace() throw */
export async function findImage(
  engine: Engine,
  name: string,
  options: FindImageOptions,
): Promise<ImageRecord> {
  if (isPlaceName(name)) return await loadFromPlace(engine, name, options);
  if (options.strictNames) requireFullName(name);
  const bundled =
    options.policy === 'missing' || options.policy === 'newer' || options.orBundled
      ? bundledLayout(name)
      : undefined;
  const isLocalName = name.startsWith('localhost/');
  if (bundled && isLocalName && !engine.images.resolve(name))
    return await loadBundled(engine, bundled, name, options);
  try {
    const { record } = await ensureImage({
      ...options.access,
      paths: engine.paths,
      name,
      policy: options.policy,
      signaturePolicy: options.signaturePolicy,
      unpacker: lazyUnpacker(engine),
      hooks: engineHooks(engine),
      platform: options.platform === undefined ? undefined : parsePlatform(options.platform),
      onEvent: options.onEvent,
      get signal() {
        return options.signal;
      },
    });
    return record;
  } catch (error) {
    if (!bundled || !(error instanceof TsrunError)) throw error;
    if (error.code === 'ERR_TSRUN_IMAGE_NOT_LOCAL') return await loadBundled(engine, bundled, name, options);
    if (!NO_REGISTRY.has(error.code)) throw error;
    const text = `${error.message}: using the image "${name}" that comes with tsrun`;
    options.onEvent?.({ type: 'warning', text });
    return await loadBundled(engine, bundled, name, options);
  }
}

/** Namespaces are looked for only when a layer is unpacked: an image that is in the store costs nothing. */
function lazyUnpacker(engine: Engine): LayerUnpacker {
  let made: LayerUnpacker | undefined;
  const unpacker = (): LayerUnpacker => {
    made ??= engineUnpacker(engine);
    return made;
  };
  return {
    prepare: () => unpacker().prepare(),
    expect: (layers) => unpacker().expect(layers),
    open: (target) => unpacker().open(target),
    close: async () => made?.close(),
  };
}
