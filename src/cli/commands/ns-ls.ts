import { defineCommand } from '../command.ts';
import { formatList } from '../format/list.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { print } from '../output.ts';

const HEADINGS = { Type: 'TYPE', Namespace: 'NAMESPACE', Host: 'HOST', Containers: 'CONTAINERS' };

export const NS_LS = defineCommand({
  usage: '',
  operands: [0, 0],
  text:
    'Lists the namespaces of running containers, and which containers share one. A namespace is known by its inode number, as in ' +
    '/proc/PID/ns and lsns(8); HOST says whether it is the one that tsrun was called in.',
  options: {
    format: value('FORMAT', 'table, json (one object on each line), or a Go template', asWritten),
    noheading: flag('Leave the line with the headings out', { short: 'n' }),
  },
  examples: ['tsrun ns ls', `tsrun ns ls --format '{{.Type}} {{.Containers}}'`],
  async run(given, _operands, context) {
    const engine = await context.engine();
    const { listNamespaces } = await import('../../engine/container-namespaces.ts');
    const rows = listNamespaces(engine).map(({ type, inode, ofHost, containers }) => ({
      Type: type,
      Namespace: inode,
      Host: ofHost ? 'yes' : 'no',
      Containers: containers.map(({ name }) => name).join(','),
    }));
    const { format, noheading: noHeading } = given;
    print(formatList(rows, { format, columns: Object.keys(HEADINGS), headings: HEADINGS, noHeading }));
    return 0;
  },
});
