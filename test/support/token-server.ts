/**
 * A token server (distribution's token specification) for docker-registry: it knows one user, who may do everything; anybody else may
 * pull what is in `public/`. Its tokens are JSON web tokens signed by a key of its own, which the registry is told to trust.
 */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';

export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** Path of the certificate that vouches for tokens. */
  readonly certificate: string;
  /** Requests for tokens: the scopes, and who asked. */
  readonly asked: { scopes: string[]; user: string | undefined }[];
  /** How long tokens are good, in seconds. */
  lifetime: number;
}

const base64url = (data: string | Buffer): string => Buffer.from(data).toString('base64url');

function makeKey(directory: string): { key: string; certificate: string } {
  const [key, certificate] = [join(directory, 'token-key.pem'), join(directory, 'token-cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, '-days', '2', '-keyout', key, '-out', certificate, '-subj', '/CN=tokens.test'],
    { stdio: 'pipe' },
  );
  return { key, certificate };
}

/** `repository:team/app:pull,push` → what of it is granted. */
function grant(scope: string, isKnown: boolean): { type: string; name: string; actions: string[] } {
  const [type = '', name = '', actions = ''] = scope.split(':');
  const asked = actions.split(',');
  const allowed = isKnown ? asked : asked.filter((action) => action === 'pull' && name.startsWith('public/'));
  return { type, name, actions: allowed };
}

function userOf(request: IncomingMessage): string | undefined {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  return basic === undefined ? undefined : Buffer.from(basic, 'base64').toString();
}

/** Starts it; `directory` gets its key, `login` is `user:password`. */
export async function startTokenServer(directory: string, login: string): Promise<TokenServer> {
  const { key, certificate } = makeKey(directory);
  const der = new X509Certificate(readFileSync(certificate)).raw.toString('base64');
  const privateKey = createPrivateKey(readFileSync(key));
  const token = (user: string, scopes: string[], isKnown: boolean): string => {
    const now = Math.floor(Date.now() / 1000);
    const head = base64url(JSON.stringify({ typ: 'JWT', alg: 'ES256', x5c: [der] }));
    const access = scopes.map((scope) => grant(scope, isKnown));
    const times = { iat: now - 60, nbf: now - 60, exp: now + server.lifetime };
    const who = { iss: server.issuer, aud: server.service, sub: user, jti: randomUUID() };
    const body = base64url(JSON.stringify({ ...who, ...times, access }));
    const signature = sign('sha256', Buffer.from(`${head}.${body}`), {
      key: privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return `${head}.${body}.${base64url(signature)}`;
  };
  const http = createServer((request, response) => {
    const scopes = new URL(request.url ?? '', 'http://x').searchParams.getAll('scope');
    const given = userOf(request);
    server.asked.push({ scopes, user: given?.split(':')[0] });
    if (given !== undefined && given !== login) {
      response.writeHead(401).end('{"details":"incorrect username or password"}');
      return;
    }
    const user = given?.split(':')[0] ?? '';
    response.end(
      JSON.stringify({ token: token(user, scopes, given !== undefined), expires_in: server.lifetime }),
    );
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as { port: number };
  const server: TokenServer = {
    realm: `http://127.0.0.1:${port}/token`,
    service: 'tsrun tests',
    issuer: 'tsrun tests',
    certificate,
    asked: [],
    lifetime: 300,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return server;
}
