/**
 * Does a port speak TLS? Asked with the first message of TLS and answered by the first byte that comes back, which needs neither a TLS
 * library nor a client of HTTP: to load them and to shake hands takes a fifth of a small pull, most of which comes from a registry on this
 * machine that speaks plain http.
 */
import { connect } from 'node:net';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
/** What follows, after its length in `size` bytes. */
const sized = (size: 1 | 2 | 3, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(size);
  length.writeUIntBE(body.length, 0, size);
  return Buffer.concat([length, body]);
};
const extension = (type: string, body: Buffer): Buffer => Buffer.concat([bytes(type), sized(2, body)]);

/**
 * A ClientHello (RFC 8446 §4.1.2) for TLS 1.2 or 1.3, in a record. It goes no further than the server's first answer, a hello or an alert, so
 * nothing depends on its random bytes. A server of HTTP has a line in it to complain of: the type of supported_groups is 0x000a.
 */
export function clientHello(): Buffer {
  const hello = Buffer.concat([
    bytes('0303'),
    Buffer.from('tsrun asks: does this speak TLS?', 'latin1'), // random[32]
    sized(1), // legacy_session_id
    sized(2, bytes('1301 1302 c02b c02f c02c c030 009c')), // cipher_suites
    sized(1, bytes('00')), // legacy_compression_methods
    sized(
      2,
      extension('000a', sized(2, bytes('001d 0017 0018'))), // supported_groups
      extension('000d', sized(2, bytes('0403 0804 0401 0503 0805 0501'))), // signature_algorithms
      extension('002b', sized(1, bytes('0304 0303'))), // supported_versions
      extension('0033', sized(2)), // key_share: the server may ask for one
    ),
  ]);
  return Buffer.concat([bytes('16 0301'), sized(2, bytes('01'), sized(3, hello))]);
}

/** Content types of the records (RFC 8446 §5.1) that answer a ClientHello. */
const ALERT = 0x15;
const HANDSHAKE = 0x16;
/** A server that does not know what to make of the greeting may hang up. */
const HUNG_UP = new Set(['ECONNRESET', 'EPIPE']);

/** @throws the system's error when nobody can be reached, ETIMEDOUT after `patienceMs` without an answer, the signal's reason */
export async function speaksTls(url: URL, patienceMs: number, signal?: AbortSignal): Promise<boolean> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = connect(Number(url.port || 443), url.hostname.replace(/^\[|\]$/g, ''));
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  const problem = `no answer within ${patienceMs / 1000} s`;
  const timer = setTimeout(
    () => reject(Object.assign(new Error(problem), { code: 'ETIMEDOUT' })),
    patienceMs,
  );
  socket.write(clientHello()); // once it is connected
  socket.on('data', ([first]: Buffer) => resolve(first === HANDSHAKE || first === ALERT));
  socket.on('end', () => resolve(false));
  socket.on('error', (error: NodeJS.ErrnoException) =>
    HUNG_UP.has(error.code ?? '') ? resolve(false) : reject(error),
  );
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}
