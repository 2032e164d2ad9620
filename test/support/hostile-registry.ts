/** What tests of registries that mean harm share. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { handled } from './fake-registry.ts';
import type { ImageFixture } from './image-fixture.ts';

/** A login that must never be seen where it does not belong. */
export const LOGIN = { username: 'me', password: 'swordfish' };
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export const isManifest = (request: IncomingMessage): boolean => request.url!.includes('/manifests/');
export const isLayer = (request: IncomingMessage, image: ImageFixture): boolean =>
  request.url!.endsWith(image.layers[0]!.descriptor.digest);

/** Wants a login. */
export const challenge = (response: ServerResponse, header: string): true =>
  handled(response.writeHead(401, { 'www-authenticate': header }).end());
