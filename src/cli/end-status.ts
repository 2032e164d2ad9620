/** How a relay ended → the exit status of tsrun. */
import type { Engine } from '../engine/open-engine.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { AttachEnd } from './attach/connection.ts';
import { exitCode } from './exit-status.ts';

/** 128 + SIGPIPE */
const BROKEN_PIPE_STATUS = 141;
/** A supervisor that has closed its socket is about to be gone. */
const WAIT_MS = 5000;

/** Throws ERR_TSRUN_EXIT_UNKNOWN. */
export async function endStatus(engine: Engine, record: ContainerRecord, end: AttachEnd): Promise<number> {
  switch (end.kind) {
    case 'exit':
      return exitCode(end.status, record.name);
    case 'detached':
      return 0;
    case 'broken-pipe':
      return BROKEN_PIPE_STATUS;
    case 'closed': {
      const { viewContainer } = await import('../engine/container-view.ts');
      const { waitContainer } = await import('../engine/wait-container.ts');
      const status = await waitContainer(engine, viewContainer(engine, record), { timeoutMs: WAIT_MS });
      return exitCode(status ?? { kind: 'unknown' }, record.name);
    }
  }
}
