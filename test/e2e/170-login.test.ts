/** Logins: tried at a real registry, kept where podman keeps them, used by pull, forgotten. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endPodmanPause } from '../support/podman-pause.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { onTerminal } from '../support/terminal.ts';
import { BINARY, start, useTsrun } from '../support/tsrun.ts';

const credentials = { user: 'me', password: 'secret word' };

describe.each([
  ['a registry with basic logins', { credentials, tokens: false }],
  ['a registry with a token server', { credentials, tokens: true }],
])('%s', (_name, options) => {
  const tsrun = useTsrun();
  let registry: Registry;

  beforeAll(async () => {
    registry = await startRegistry(options);
    if (!options.tokens) await registry.push('busybox', 'private/busybox');
  });
  afterAll(async () => {
    endPodmanPause(tsrun.store.env.XDG_RUNTIME_DIR!);
    await registry[Symbol.asyncDispose]();
  });

  const authFile = (): string => join(tsrun.store.env.XDG_RUNTIME_DIR!, 'containers', 'auth.json');
  const logIn = (password: string, ...more: string[]) =>
    tsrun.run(['login', '-u', 'me', '--password-stdin', ...more, registry.host], { input: `${password}\n` });

  it('refuses a wrong password, and keeps nothing', async () => {
    const { status, stderr } = await logIn('wrong');
    expect(stderr).toContain(`tsrun: registry ${registry.host} refuses the login of me\ncause: 401 `);
    expect(stderr).not.toContain('wrong');
    expect(status).toBe(125);
    expect(existsSync(authFile())).toBe(false);
  });

  it('keeps a good one, mode 0600, where podman finds it', async () => {
    expect(await logIn(credentials.password)).toMatchObject({
      status: 0,
      stdout: 'Login Succeeded!\n',
      stderr: '',
    });
    expect(statSync(authFile()).mode & 0o777).toBe(0o600);
    expect(await tsrun.ok('login', '--get-login', registry.host)).toBe('me');
    const { env } = tsrun.store;
    const podman = await start('podman', ['login', '--get-login', registry.host], { env }).ended;
    expect(podman.stdout).toBe('me\n');
    const again = await tsrun.expect(0, ['login', registry.host]);
    expect(again.stdout).toBe(`Existing credentials are valid. Already logged in to ${registry.host}\n`);
  });

  it.skipIf(options.tokens)('lets pull in', async () => {
    await tsrun.expect(0, ['pull', '-q', `${registry.host}/private/busybox`]);
  });

  it('forgets it', async () => {
    expect(await tsrun.ok('logout', registry.host)).toBe(`Removed login credentials for ${registry.host}`);
    expect(JSON.parse(readFileSync(authFile(), 'utf8'))).toEqual({ auths: {} });
    const { stderr } = await tsrun.expect(125, ['logout', registry.host]);
    expect(stderr).toContain(`no login for ${registry.host} is kept`);
    const { status } = await tsrun.run(['pull', '-q', `${registry.host}/private/busybox`]);
    expect(status).toBe(125);
  });

  it('takes --creds for once, and --authfile instead of the usual place', async () => {
    const file = join(tsrun.store.directory, 'own.json');
    expect(await logIn(credentials.password, '--authfile', file)).toMatchObject({ status: 0 });
    expect(await tsrun.ok('login', '--get-login', '--authfile', file, registry.host)).toBe('me');
    if (!options.tokens) {
      const name = `${registry.host}/private/busybox`;
      await tsrun.expect(0, ['pull', '-q', '--authfile', file, name]);
      await tsrun.expect(0, ['pull', '-q', '--creds', `me:${credentials.password}`, name]);
      const missing = await tsrun.expect(125, ['pull', '-q', '--authfile', '/nonexistent', name]);
      expect(missing.stderr).toContain('cannot use the logins of /nonexistent: there is no such file');
    }
  });

  // It was "does not let anyone read  without a login, or has no such repository".
  it('says that a search is for who is logged in', async () => {
    const { stderr } = await tsrun.run(['search', `${registry.host}/busy`]);
    expect(stderr).toContain(
      `registry ${registry.host} does not let anyone without a login read the list of its repositories`,
    );
  });

  it('shows no secret, whatever goes wrong and however much is said about it', async () => {
    const name = `${registry.host}/private/nothing`;
    for (const login of ['me:wrong-secret', 'me:secret word']) {
      const { stdout, stderr } = await tsrun.run(['--debug', 'pull', '--creds', login, name]);
      for (const secret of [login.slice(3), Buffer.from(login).toString('base64'), 'Bearer ey', 'Basic ']) {
        expect(`${stdout}${stderr}`).not.toContain(secret);
      }
      expect(stderr).toContain(registry.host);
    }
  });

  it('asks for what was not said, on a terminal, and shows no password', async () => {
    const { env } = tsrun.store;
    const terminal = onTerminal([BINARY, 'login', registry.host], { env });
    await terminal.waitFor(/Username: /);
    terminal.write('me\r');
    await terminal.waitFor(/Password: /);
    terminal.write(`${credentials.password}\r`);
    const { stdout, status } = await terminal.ended;
    expect(stdout).toContain('Login Succeeded!');
    expect(stdout).not.toContain(credentials.password);
    expect(status).toBe(0);
    await tsrun.ok('logout', '--all');
  });

  it('says what to do where there is no terminal', async () => {
    const { stderr } = await tsrun.expect(125, ['login', registry.host]);
    expect(stderr).toContain('hint: echo "$PASSWORD" | tsrun login -u NAME --password-stdin');
  });
});

describe('TLS with a certificate of nobody known', () => {
  const tsrun = useTsrun();
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry({ credentials, tls: true });
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  it('is refused, trusted by --cert-dir, or not looked at', async () => {
    const words = ['login', '-u', 'me', '-p', credentials.password, registry.host];
    const { stderr } = await tsrun.expect(125, words);
    expect(stderr).toContain('cause: self-signed certificate');
    await tsrun.expect(0, [...words, '--tls-verify=false']);
    await tsrun.expect(125, [...words, '--tls-verify=true']);
    const certs = join(tsrun.store.directory, 'certs');
    mkdirSync(certs);
    writeFileSync(join(certs, 'ca.crt'), registry.certificate!);
    await tsrun.expect(0, [...words, '--cert-dir', certs]);
    const env = { SSL_CERT_FILE: join(certs, 'ca.crt') };
    await tsrun.expect(0, words, { env });
  });
});
