import { defineCommand } from '../command.ts';
import { asWritten, value } from '../options/option.ts';
import { print } from '../output.ts';
import { version } from '../version.ts';

export const VERSION = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Prints the version of tsrun and of what it runs on.',
  options: { format: value('FORMAT', 'json, or a Go template', asWritten, { short: 'f' }) },
  examples: [`tsrun version -f '{{.Client.Version}}'`],
  async run(given) {
    const client = {
      Version: version(),
      NodeVersion: process.version,
      Os: process.platform,
      Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    };
    if (given.format === undefined) {
      print(`tsrun version ${client.Version} (Node ${process.versions.node}, ${client.Os}/${client.Arch})\n`);
      return 0;
    }
    if (given.format === 'json') print(`${JSON.stringify({ Client: client })}\n`);
    else {
      const { parseTemplate } = await import('../format/template/parse.ts');
      const { executeTemplate } = await import('../format/template/execute.ts');
      print(`${executeTemplate(parseTemplate(given.format), { Client: client, ...client })}\n`);
    }
    return 0;
  },
});
