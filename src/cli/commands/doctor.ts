import { defineCommand } from '../command.ts';
import { launcher } from '../launcher.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';

export const DOCTOR = defineCommand({
  usage: '',
  operands: [0, 0],
  text:
    'Checks what tsrun needs of this machine, a line for each: OK, DEGRADED (and what is lost), or BLOCKED; then how to get what is missing. ' +
    'The exit status is 0, 1 or 2 accordingly.',
  options: { json: flag('Print the report as JSON') },
  examples: ['tsrun doctor'],
  async run(given, _operands, context) {
    const [{ runDoctor }, { nodeHost }, { renderJson, renderReport }, { tryUserNamespace }] =
      await Promise.all([
        import('../../engine/doctor/run-doctor.ts'),
        import('../../engine/doctor/node-host.ts'),
        import('../../engine/doctor/render.ts'),
        import('../../engine/try-user-namespace.ts'),
      ]);
    const host = nodeHost({
      storeRoot: context.storeRoot(),
      launcher: launcher(),
      tryUserNamespace,
    });
    const report = runDoctor(host);
    print(given.json ? renderJson(report) : renderReport(report));
    return report.exitCode;
  },
});
