/** Reads a log in the k8s-file format back (native/supervisor/log.h). */

export interface LogRecord {
  time: string;
  stream: string;
  /** F: a newline follows the text in the output; P: none does. */
  end: string;
  text: string;
}

/** @throws Error for a line that is no record: one that was torn */
export function parseLog(log: string): LogRecord[] {
  if (log !== '' && !log.endsWith('\n')) throw new Error('the last record is torn');
  return log
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [, time = '', stream = '', end = '', text = ''] =
        /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (stdout|stderr) ([FP]) (.*)$/s.exec(line) ?? [];
      if (!time) throw new Error(`a torn record: ${JSON.stringify(line)}`);
      return { time, stream, end, text };
    });
}

/** What was written to `stream`, byte for byte as the log has it. */
export const loggedOutput = (log: string, stream: 'stdout' | 'stderr'): string =>
  parseLog(log)
    .filter((record) => record.stream === stream)
    .map(({ text, end }) => (end === 'F' ? `${text}\n` : text))
    .join('');
