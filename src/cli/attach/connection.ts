/** What a user is attached to, and how that can end. */
import type { ExitStatus } from '../../supervisor/exit-status.ts';
import type { SupervisorMessage } from '../../supervisor/messages.ts';

/** What is used of SupervisorClient. */
export interface Connection {
  next(): Promise<SupervisorMessage | undefined>;
  send(frames: Buffer): Promise<void>;
  close(): void;
}

export type AttachEnd =
  | { kind: 'exit'; status: ExitStatus }
  /** The user typed the detach keys. */
  | { kind: 'detached' }
  /** Nobody reads stdout any more; see broken-pipe.ts for what became of the command. */
  | { kind: 'broken-pipe' }
  /** The supervisor closed the socket without a word about the exit. */
  | { kind: 'closed' };
