/** The container's /etc/hosts and /etc/resolv.conf. */
import { copyFileSync, writeFileSync } from 'node:fs';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerFiles } from '../store/paths.ts';
import { type ContainerNetwork, networkFiles, networkOwner } from './container-network.ts';
import type { Engine } from './open-engine.ts';

/** They are bind-mounted, so they are written in place: a container that runs sees the new ones. */
export function writeNetworkFiles(engine: Engine, record: ContainerRecord, network: ContainerNetwork): void {
  const files = containerFiles(engine.paths, record.id);
  const owner = networkOwner(engine, record.networkMode);
  if (owner) {
    // Who shares a network shares its names.
    const theirs = containerFiles(engine.paths, owner.id);
    copyFileSync(theirs.hosts, files.hosts);
    copyFileSync(theirs.resolvConf, files.resolvConf);
    return;
  }
  const { hosts, resolvConf } = networkFiles(
    network,
    { hostname: record.hostname, addHosts: record.addHosts },
    record.dns,
  );
  writeFileSync(files.hosts, hosts);
  writeFileSync(files.resolvConf, resolvConf);
}
