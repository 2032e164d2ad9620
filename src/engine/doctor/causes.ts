/**
 * The doctor's knowledge for errors that have just happened: what of the host explains the failure, and the
 * line that sets it right. Each blames only a setting that was read and is wrong; undefined = none of them is.
 */
export { idMapHelperCause } from './probes/id-map-helpers.ts';
export { lowPortCause } from './probes/low-ports.ts';
export { storeCause } from './probes/store.ts';
export { tunCause } from './probes/tun.ts';
export { userNamespaceCause } from './probes/user-namespaces.ts';
