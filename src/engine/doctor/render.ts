/** A doctor's report as text: a line for each check, then what to do about those that are not in order. */
import type { Finding } from './finding.ts';
import type { DoctorReport } from './run-doctor.ts';

const SUMMARY = {
  ok: 'Everything that tsrun can use is there.',
  degraded: 'Containers start. What is degraded above is lost until it is set right.',
  blocked: 'Containers cannot start until what is blocked above is set right.',
} as const;

/** Ends with a newline. No colour: the words OK, DEGRADED and BLOCKED say it. */
export function renderReport(report: DoctorReport): string {
  const width = Math.max(...report.findings.map(({ title }) => title.length));
  const lines = report.findings.map(
    ({ status, title, detail }) => `${status.toUpperCase().padEnd(8)}  ${title.padEnd(width)}  ${detail}`,
  );
  const troubles = report.findings.filter(({ status }) => status !== 'ok').flatMap(renderTrouble);
  return `${[...lines, ...troubles, '', SUMMARY[report.status]].join('\n')}\n`;
}

function renderTrouble({ id, title, detail, lose, remedy, needsRoot }: Finding): string[] {
  return [
    '',
    `${title}: ${detail}`,
    ...(lose === undefined ? [] : [`  you lose: ${lose}`]),
    ...(remedy === undefined
      ? []
      : [
          `  remedy${needsRoot ? ' (needs an administrator)' : ''}:`,
          ...remedy.split('\n').map((line) => `    ${line}`),
        ]),
    `  see: docs/doctor.md#${id}`,
  ];
}

/** The report for programs, as docs/doctor.schema.json describes it. */
export function renderJson(report: DoctorReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
