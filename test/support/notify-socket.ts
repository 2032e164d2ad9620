/** A service manager's end of sd_notify(3): Node has no datagram sockets of AF_UNIX. */
import { rmSync } from 'node:fs';
import { callForBytes } from '../../src/sys/call-for-bytes.ts';
import { callNow } from '../../src/sys/calls.ts';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from '../../src/sys/constants.ts';
import { ERRNO } from '../../src/sys/errno.ts';
import { SyscallFailure } from '../../src/sys/run.ts';
import { until } from './until.ts';

export class NotifySocket implements Disposable {
  /** What NOTIFY_SOCKET is. */
  readonly address: string;
  readonly #fd: number;
  /** What came, in its order. */
  readonly messages: string[] = [];

  /** `address`: a path, or @ and an abstract name */
  constructor(address: string) {
    this.address = address;
    const name = Buffer.from(`\0\0${address.replace(/^@/, '\0')}`);
    name.writeUInt16LE(AF_UNIX);
    const type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    this.#fd = callNow('make a socket', 'socket', [AF_UNIX, type, 0]);
    callNow('give it its name', 'bind', [this.#fd, name, name.length]);
  }

  /** Takes what is there. */
  receive(): string[] {
    for (;;) {
      try {
        this.messages.push(callForBytes('take a message', 'read', [this.#fd], 4096).toString());
      } catch (error) {
        if (error instanceof SyscallFailure && error.errno === ERRNO.EAGAIN) return this.messages;
        throw error;
      }
    }
  }

  async until(message: string): Promise<void> {
    await until(`the message ${message}`, () => this.receive().includes(message));
  }

  [Symbol.dispose](): void {
    callNow('done', 'close', [this.#fd]);
    if (this.address.startsWith('/')) rmSync(this.address, { force: true });
  }
}
