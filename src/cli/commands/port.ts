import { tsrunError } from '../../errors.ts';
import type { PublishedPort } from '../../store/container-record.ts';
import { defineCommand } from '../command.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { ALL_OPTION, LATEST_OPTION, selectContainer } from '../select-containers.ts';

function hostEnd({ hostIp, hostPort }: PublishedPort): string {
  const address = hostIp === '' ? '0.0.0.0' : hostIp.includes(':') ? `[${hostIp}]` : hostIp;
  return `${address}:${hostPort}`;
}

/** `80` means tcp, as in docker. Throws ERR_TSRUN_USAGE. */
function parsePort(text: string): { number: number; protocol: string } {
  const [, number, protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? [];
  if (number === undefined) throw usageError(`"${text}" is not a port`, 'tsrun port CONTAINER 80/tcp');
  return { number: Number(number), protocol };
}

export const PORT = defineCommand({
  usage: '[CONTAINER [PORT[/PROTOCOL]]]',
  operands: [0, 2],
  text: "Prints where a container's ports are published; with PORT only where that one is.",
  options: { ...ALL_OPTION, ...LATEST_OPTION },
  examples: ['tsrun port web', 'tsrun port web 80/tcp'],
  async run(given, words, context) {
    const engine = await context.engine();
    if (given.all) {
      const { listContainers } = await import('../../engine/container-view.ts');
      for (const view of listContainers(engine).containers) {
        const lines = view.record.ports.map(
          (port) => `${view.id.slice(0, 12)}\t${port.containerPort}/${port.protocol} -> ${hostEnd(port)}\n`,
        );
        print(lines.join(''));
      }
      return 0;
    }
    const [names, wanted] = given.latest ? [[], words[0]] : [words.slice(0, 1), words[1]];
    const { record } = await selectContainer(engine, names, given);
    if (wanted === undefined) {
      print(
        record.ports.map((port) => `${port.containerPort}/${port.protocol} -> ${hostEnd(port)}\n`).join(''),
      );
      return 0;
    }
    const { number, protocol } = parsePort(wanted);
    const found = record.ports.filter((port) => port.containerPort === number && port.protocol === protocol);
    if (found.length === 0)
      throw tsrunError('ERR_TSRUN_PORT_NOT_PUBLISHED', {
        container: record.name,
        port: `${number}/${protocol}`,
      });
    print(found.map((port) => `${hostEnd(port)}\n`).join(''));
    return 0;
  },
});
