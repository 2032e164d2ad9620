/** Kernel parameters: read as files, set now and for good. */
import type { HostView } from './host-view.ts';

/** The value of `user.max_user_namespaces`; undefined where the kernel has no such parameter. */
export function readSysctl(host: HostView, name: string): string | undefined {
  return host.readText(`/proc/sys/${name.replaceAll('.', '/')}`)?.trim();
}

/** The line that sets it, at once and at every start. */
export function sysctlRemedy(name: string, value: string): string {
  return `echo '${name}=${value}' | sudo tee -a /etc/sysctl.d/99-tsrun.conf && sudo sysctl --system`;
}
