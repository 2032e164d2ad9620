import { closeSync, openSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { runtimeContainerDirectory, type StorePaths } from '../store/paths.ts';
import { SupervisorClient } from '../supervisor/client.ts';

/**
 * Connects to the supervisor of container `id`. A socket's address has only 108 bytes, so its directory is named by a descriptor.
 * @param doing what for, as in "cannot attach to container web"
 * @throws ERR_TSRUN_SUPERVISOR_GONE when the runtime directory was cleaned, or is another one than when the container was started
 */
export function connectToSupervisor(
  paths: StorePaths,
  id: string,
  container: string,
  doing: string,
): SupervisorClient {
  let fd = -1;
  try {
    fd = openSync(runtimeContainerDirectory(paths, id), 'r');
    return SupervisorClient.connect(`/proc/self/fd/${fd}/attach`);
  } catch (error) {
    throw tsrunError('ERR_TSRUN_SUPERVISOR_GONE', { container, doing }, error);
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}
