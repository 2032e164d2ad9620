import type { NamespaceReport, SeenTwice } from '../../engine/container-namespaces.ts';
import type { ContainerView } from '../../engine/container-view.ts';
import { defineCommand } from '../command.ts';
import { executeTemplate } from '../format/template/execute.ts';
import { parseTemplate } from '../format/template/parse.ts';
import { asWritten, value } from '../options/option.ts';
import { print } from '../output.ts';

const twice = ({ inside, outside }: SeenTwice<number>): object => ({ Inside: inside, Outside: outside });

const mapLines = (map: NamespaceReport['uids']): object[] =>
  map.map(({ containerID, hostID, size }) => ({ Inside: containerID, Outside: hostID, Size: size }));

function document(view: ContainerView, pid: number, report: NamespaceReport): Record<string, unknown> {
  return {
    Id: view.id,
    Name: view.name,
    Namespaces: report.namespaces.map(({ type, inode, ofHost, containers }) => ({
      Type: type,
      Namespace: inode,
      Path: `/proc/${pid}/ns/${type}`,
      Host: ofHost,
      SharedWith: containers.filter(({ id }) => id !== view.id).map(({ name }) => name),
    })),
    UidMap: mapLines(report.uids),
    GidMap: mapLines(report.gids),
    Processes: report.processes.map(({ pid: number, uid, command }) => ({
      Pid: twice(number),
      Uid: twice(uid),
      Command: command,
    })),
    Root: { Inside: '/', Outside: report.root.process, Changes: report.root.changes },
  };
}

export const NS_INSPECT = defineCommand({
  usage: 'CONTAINER',
  operands: [1, 1],
  text:
    'Prints, as JSON, the namespaces of a running container and who shares them, how its ids are mapped, and what each of its processes, ' +
    'its users and its files are called inside and outside.',
  options: { format: value('FORMAT', 'json, or a Go template', asWritten, { short: 'f' }) },
  examples: [
    'tsrun ns inspect web',
    `tsrun ns inspect -f '{{range .Processes}}{{.Pid.Inside}} {{.Pid.Outside}}{{"\\n"}}{{end}}' web`,
  ],
  async run({ format }, [name = ''], context) {
    const template = format === undefined || format === 'json' ? undefined : parseTemplate(format);
    const engine = await context.engine();
    const { findContainer, notRunning } = await import('../../engine/container-view.ts');
    const { reportNamespaces } = await import('../../engine/container-namespaces.ts');
    const view = findContainer(engine, name);
    const { init } = view.state;
    if (!init) throw notRunning(view);
    const one = document(view, init.pid, reportNamespaces(engine, view, init.pid));
    const json = (): string => JSON.stringify(one, undefined, format === 'json' ? undefined : 4);
    print(`${template ? executeTemplate(template, one) : json()}\n`);
    return 0;
  },
});
