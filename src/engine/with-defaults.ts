/** What is not said on the command line, the user's configuration may say, else tsrun's own defaults. */
import { defaultNetwork } from './default-network.ts';
import type { Engine } from './open-engine.ts';
import type { CreateRequest } from './request.ts';
import { configured } from './user-config-path.ts';

/** `network` of the user's configuration. @throws ERR_TSRUN_CONFIG */
export async function configuredNetwork(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  return (await configured(environment)).network;
}

/** What was chosen is kept in the container's record. @throws ERR_TSRUN_CONFIG */
export async function withDefaults(engine: Engine, request: CreateRequest): Promise<CreateRequest> {
  if (request.network !== undefined && request.network !== 'default') return request;
  const { network, problem } = await defaultNetwork(engine, await configuredNetwork(process.env));
  if (problem !== undefined)
    engine.warn(`no bridge network: ${problem}; the container has --network private instead`);
  return { ...request, network };
}
