/** What happens to bridge networks, for `tsrun events`. */
import type { BridgeNetwork } from '../network/bridge-network.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { logEvent } from '../store/event-log.ts';
import type { Engine } from './open-engine.ts';

/** @param container that is connected or disconnected */
export function logNetworkEvent(
  engine: Engine,
  status: string,
  { id, name }: Pick<BridgeNetwork, 'id' | 'name'>,
  container?: Pick<ContainerRecord, 'id'>,
): void {
  const attributes = container && { attributes: { container: container.id } };
  logEvent(engine.paths, { status, type: 'network', id, name, ...attributes });
}
