/** /proc/self/mountinfo, proc(5): the options of the mount that a path is on. */
import { dirname } from 'node:path';
import type { HostView } from './host-view.ts';

/** Options of the mount itself (nosuid, noexec, …); undefined when the table cannot be read. */
export function mountOptions(host: HostView, path: string): string[] | undefined {
  let best: { point: string; options: string[] } | undefined;
  for (const line of (host.readText('/proc/self/mountinfo') ?? '').split('\n')) {
    const [, , , , rawPoint, options] = line.split(' ');
    if (rawPoint === undefined || options === undefined) continue;
    // Blanks and backslashes are octal there.
    const point = rawPoint.replace(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const holds = path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
    // Of mounts on one point the later line is on top.
    if (holds && point.length >= (best?.point.length ?? 0)) best = { point, options: options.split(',') };
  }
  return best?.options;
}

/** `path`, or the closest directory above it that is there. */
export function nearestExisting(host: HostView, path: string): string {
  let current = path;
  while (!host.stat(current) && current !== dirname(current)) current = dirname(current);
  return current;
}
