/**
 * What a network driver is: it decides which network namespace a container gets, and which steps the supervisor runs to
 * connect it, between the container's clone and its command.
 *
 * Contract: `attach` is pure (it only lists steps); the steps are run again at each restart of the container; whatever a step
 * starts must end with the supervisor, even if the supervisor is killed with SIGKILL (life line or PR_SET_PDEATHSIG).
 */
import type { Slot, Slots, Step } from '../sys/step.ts';

/** One published port. */
export interface PortMapping {
  /** Address on the host to listen on; '' = all addresses. */
  hostIp: string;
  hostPort: number;
  containerPort: number;
  protocol: 'tcp' | 'udp';
}

/** What a driver may use to write its steps. */
export interface AttachContext {
  slots: Slots;
  /** Pid of the container's init as the supervisor sees it; its network namespace is /proc/<pid>/ns/net. */
  initPid: Slot;
  ports: readonly PortMapping[];
  /** Write end of the pipe that keeps the helpers' stderr; dup it to the helper's fd 2. */
  stderr: Slot;
}

/** Where the container's network namespace comes from. */
export type NetworkNamespace = { kind: 'new' } | { kind: 'host' } | { kind: 'path'; path: string };

export interface NetworkDriver {
  readonly name: string;
  readonly namespace: NetworkNamespace;
  /** Steps of the supervisor (and of the helper it clones). Empty when nothing is to be attached. */
  attach(context: AttachContext): Step[];
  /** `nameserver` lines of the container's resolv.conf; undefined = those of the host. */
  readonly nameservers: readonly string[] | undefined;
  /** The container's own address for /etc/hosts, and the one that reaches the host, when known. */
  readonly containerAddress: string | undefined;
  readonly hostAddress: string | undefined;
}
