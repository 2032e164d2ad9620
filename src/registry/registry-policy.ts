/** What registries.conf says about speaking to a registry, put together with what the user has said for this once. */
import { tsrunError } from '../errors.ts';
import { formatReference, type Reference } from '../spec/reference.ts';
import type { RegistryAccess } from './access.ts';
import { readRegistriesConf } from './read-registries-conf.ts';
import { endpointsFor, tableFor } from './registries-conf.ts';

/** A place to pull from, and how to speak to it. */
export interface PullEndpoint {
  reference: Reference;
  isMirror: boolean;
  access: RegistryAccess;
}

/** `insecure` counts where --tls-verify says nothing. */
const withInsecure = (access: RegistryAccess, insecure: boolean): RegistryAccess =>
  insecure && access.tlsVerify === undefined ? { ...access, tlsVerify: false } : access;

/**
 * Where an image is to be looked for, in order. --creds are for the registry that the user has named, and for no mirror of it.
 * Throws ERR_TSRUN_REGISTRY_BLOCKED, ERR_TSRUN_REGISTRIES_CONF.
 */
export async function pullEndpoints(reference: Reference, access: RegistryAccess): Promise<PullEndpoint[]> {
  const conf = await readRegistriesConf(access.environment ?? process.env);
  return endpointsFor(conf, reference).map(({ reference: there, insecure, isMirror }) => ({
    reference: there,
    isMirror,
    access: withInsecure(isMirror ? { ...access, credentials: undefined } : access, insecure),
  }));
}

/**
 * How to speak to what is pushed to, logged in at, or searched: there neither mirrors nor locations count.
 * Throws ERR_TSRUN_REGISTRY_BLOCKED, ERR_TSRUN_REGISTRIES_CONF.
 * @param name a registry, or the full name of an image
 */
export async function accessTo(name: string | Reference, access: RegistryAccess): Promise<RegistryAccess> {
  const conf = await readRegistriesConf(access.environment ?? process.env);
  const full = typeof name === 'string' ? name : formatReference(name);
  const table = tableFor(conf, full);
  if (table?.blocked) {
    throw tsrunError('ERR_TSRUN_REGISTRY_BLOCKED', { name: full, prefix: table.prefix, file: table.file });
  }
  return withInsecure(access, table?.insecure ?? false);
}
