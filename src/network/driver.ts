/**
 * What a network driver is: it decides which network namespace a container gets, and which steps the supervisor runs to
 * connect it, between the container's clone and its command.
 *
 * Contract: `attach` is pure (it only lists steps); the steps are run again at each restart of the container; whatever a step
 * starts must end with the supervisor, even if the supervisor is killed with SIGKILL (life line or PR_SET_PDEATHSIG). While the
 * supervisor lives it ends all its children itself when the container has ended.
 */
import type { Slot, Slots, Step } from '../sys/step.ts';

/** One published port. */
export interface PortMapping {
  /** Address on the host to listen on, without brackets; '' = all addresses. */
  hostIp: string;
  /** 0 = choose one (only before claimPorts). */
  hostPort: number;
  /** Choose the first that is free, from hostPort to this one (only before claimPorts). */
  lastHostPort?: number;
  containerPort: number;
  protocol: 'tcp' | 'udp';
}

/** What a driver may use to write its steps. */
export interface AttachContext {
  slots: Slots;
  /** Pid of the container's init as the supervisor sees it; its network namespace is /proc/<pid>/ns/net. */
  initPid: Slot;
  /** With host ports chosen. */
  ports: readonly PortMapping[];
  /** Write end of the pipe that keeps the helpers' stderr. The supervisor has the read end. */
  stderr: Slot;
  /** That end. A helper closes its copy, or it would not see that the supervisor is gone. */
  stderrReader?: Slot | undefined;
  /** The container's runtime directory (store/paths.ts, runtimeContainerDirectory); it exists, only its user may enter it. */
  directory: string;
  /** The supervisor's binary, which is also the forwarder's; undefined = what the acting process runs from. */
  executable?: string;
}

/** Where the container's network namespace comes from. */
export type NetworkNamespace = { kind: 'new' } | { kind: 'host' } | { kind: 'path'; path: string };

/**
 * On which addresses of the host a driver can publish ports. `sockets`: on all, and it is given the bound sockets, at descriptors
 * from FORWARD_FIRST_FD on (forward/forwarded.ts); the others bind by themselves.
 */
export type Publishing = 'ipv4' | 'ipv4+ipv6' | 'sockets' | 'none';

export interface NetworkDriver {
  readonly name: string;
  readonly namespace: NetworkNamespace;
  /** Steps of the supervisor (and of the helper it clones). Empty when nothing is to be attached. */
  attach(context: AttachContext): Step[];
  readonly publishing: Publishing;
  /** Whether a service sees the addresses of its clients on other machines; undefined = nothing is published. */
  readonly keepsClientAddresses?: boolean;
  /** `nameserver` lines of the container's resolv.conf; undefined = those of the host as they are. */
  readonly nameservers: readonly string[] | undefined;
  /**
   * Defined for a driver whose nameservers know everything: containers by name, in this domain too, and the rest from the host's servers or
   * those of --dns. No others are written beside them.
   */
  readonly searchDomain?: string | undefined;
  /** The container's own address for /etc/hosts, and the one at which it reaches the host, when there is one. */
  readonly containerAddress: string | undefined;
  readonly hostAddress: string | undefined;
  /** For the container's linux.sysctl, below what the user asks for. */
  readonly sysctls: Readonly<Record<string, string>>;
}
