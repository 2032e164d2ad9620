import type { Engine } from '../../engine/open-engine.ts';
import { defineCommand } from '../command.ts';
import type { Row } from '../format/list.ts';
import { executeTemplate } from '../format/template/execute.ts';
import { parseTemplate } from '../format/template/parse.ts';
import { type ConnectedContainer, networkDocument } from '../network-document.ts';
import { asWritten, value } from '../options/option.ts';
import { print } from '../output.ts';
import { forEach } from '../select-containers.ts';

/** Running containers, by what they have of each network. */
async function connected(engine: Engine): Promise<(ConnectedContainer & { network: string })[]> {
  const { listContainers } = await import('../../engine/container-view.ts');
  const { readEndpoints } = await import('../../engine/read-endpoints.ts');
  return listContainers(engine)
    .containers.filter(({ state }) => state.init !== undefined)
    .flatMap(({ id, name }) =>
      readEndpoints(engine, id).map((lease) => ({ id, name, lease, network: lease.network.id })),
    );
}

/** Describes networks by name; which containers they have is looked up once. What it returns throws ERR_TSRUN_NETWORK_UNKNOWN. */
export function networkDescriber(engine: Engine): (name: string) => Promise<Row> {
  let containers: ReturnType<typeof connected> | undefined;
  return async (name) => {
    const { findNetwork } = await import('../../engine/networks.ts');
    const network = findNetwork(engine, name);
    containers ??= connected(engine);
    const ours = (await containers).filter((each) => each.network === network.id);
    return networkDocument(network, ours);
  };
}

export const NETWORK_INSPECT = defineCommand({
  usage: 'NETWORK…',
  operands: [1, Number.POSITIVE_INFINITY],
  text: "Prints all that is known of networks, as a JSON list under docker's field names.",
  options: { format: value('FORMAT', 'json, or a Go template for each', asWritten, { short: 'f' }) },
  examples: [`tsrun network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' bridge`],
  async run({ format }, names, context) {
    const template = format === undefined || format === 'json' ? undefined : parseTemplate(format);
    const engine = await context.engine();
    const describe = networkDescriber(engine);
    const found: object[] = [];
    const status = await forEach(names, context.debug, async (name) => {
      const one = await describe(name);
      if (template) print(`${executeTemplate(template, one)}\n`);
      else found.push(one);
    });
    if (!template) print(`${JSON.stringify(found, undefined, format === 'json' ? undefined : 4)}\n`);
    return status;
  },
});
