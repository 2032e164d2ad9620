/** registries.conf at work: mirrors, other locations, insecure and blocked registries. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureImage } from '../../src/image/ensure-image.ts';
import type { PullEvent } from '../../src/image/pull/events.ts';
import { handled, startFakeRegistry } from '../support/fake-registry.ts';
import { hashingUnpacker } from '../support/hashing-unpacker.ts';
import { randomImage } from '../support/image-fixture.ts';
import { testPull } from '../support/pull-harness.ts';
import { temporaryDirectoryForTest, temporaryStore } from '../support/temporary-store.ts';
import { makeCertificate } from '../support/test-certificate.ts';

/** An environment whose user has this registries.conf. */
function withConf(text: string): NodeJS.ProcessEnv {
  const HOME = temporaryDirectoryForTest();
  mkdirSync(join(HOME, '.config', 'containers'), { recursive: true });
  writeFileSync(join(HOME, '.config', 'containers', 'registries.conf'), text);
  return { HOME };
}

const warnings = (events: PullEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.text] : []));

test('mirrors are asked in their order, with the reason when one will not do, and the image keeps its name', async () => {
  const image = await randomImage([5000]);
  const empty = await startFakeRegistry(image, (request, response) =>
    request.url!.includes('/manifests/') || request.url!.includes('/tags/')
      ? handled(response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN","message":"no"}]}'))
      : false,
  );
  const lying = await startFakeRegistry(image, (request, response) =>
    request.url!.includes('/blobs/') ? handled(response.end('something else')) : false,
  );
  const good = await startFakeRegistry(image);
  const environment = withConf(`[[registry]]
prefix = "registry.test/team"
location = "127.0.0.1:1/never"
[[registry.mirror]]
location = "127.0.0.1:1/gone"
[[registry.mirror]]
location = "${empty.host}/empty"
[[registry.mirror]]
location = "${lying.host}/lying"
[[registry.mirror]]
location = "${good.host}/good/copy"
`);
  const credentials = { username: 'me', password: 'secret' };
  const { result, events } = testPull(temporaryStore(), 'registry.test/team/app:1', {
    environment,
    credentials,
  });
  expect((await result).record.reference).toBe('registry.test/team/app:1');
  expect(warnings(events)).toEqual([
    expect.stringMatching(
      /^mirror 127\.0\.0\.1:1\/gone\/app will not do: cannot reach registry .*ECONNREFUSED/,
    ),
    expect.stringMatching(/^mirror .*\/empty\/app will not do: registry .* has no repository empty\/app/),
    expect.stringMatching(/^mirror .*\/lying\/app will not do: .* has the wrong (?:size|digest)/),
  ]);
  expect(events.findLast((event) => event.type === 'pulling')).toMatchObject({
    via: `${good.host}/good/copy/app`,
  });
  expect(good.requests.some(({ url }) => url === '/v2/good/copy/app/manifests/1')).toBe(true);
  for (const { requests } of [empty, lying, good]) {
    expect(requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  }
});

test('when no mirror will do, the registry itself is asked, and its error counts', async () => {
  const environment = withConf(
    '[[registry]]\nlocation = "127.0.0.1:2"\n[[registry.mirror]]\nlocation = "127.0.0.1:1"',
  );
  const { result, events } = testPull(temporaryStore(), '127.0.0.1:2/app', { environment });
  await expect(result).rejects.toThrow('cannot reach registry 127.0.0.1:2');
  expect(warnings(events)).toHaveLength(1);
});

test('a blocked registry is not asked', async () => {
  const registry = await startFakeRegistry(await randomImage([10]));
  const environment = withConf(`[[registry]]\nlocation = "${registry.host}"\nblocked = true`);
  await expect(
    testPull(temporaryStore(), `${registry.host}/app`, { environment }).result,
  ).rejects.toMatchObject({ code: 'ERR_TSRUN_REGISTRY_BLOCKED' });
  expect(registry.requests).toEqual([]);
});

test('an insecure registry need not show a certificate that is known; --tls-verify=true insists', async () => {
  const certificate = makeCertificate(temporaryDirectoryForTest());
  const registry = await startFakeRegistry(await randomImage([10]), () => false, certificate);
  const environment = withConf(`[[registry]]\nlocation = "${registry.host}"\ninsecure = true`);
  const name = `${registry.host}/app`;
  await testPull(temporaryStore(), name, { environment }).result;
  await expect(
    testPull(temporaryStore(), name, { environment, tlsVerify: true }).result,
  ).rejects.toMatchObject({
    cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  });
  await testPull(temporaryStore(), name, { tlsVerify: false }).result;
});

test('short names: an alias, then the image of the store by the same alias, and no registry asked for it', async () => {
  const registry = await startFakeRegistry(await randomImage([10]));
  const environment = withConf(`[aliases]\n"tsrun-alias" = "${registry.host}/team/application"`);
  const paths = temporaryStore();
  const events: PullEvent[] = [];
  const ensure = (name: string, policy: 'missing' | 'never') =>
    ensureImage({
      paths,
      name,
      policy,
      environment,
      unpacker: hashingUnpacker(),
      onEvent: (event) => events.push(event),
    });
  const reference = `${registry.host}/team/application:1`;
  expect((await ensure('tsrun-alias:1', 'missing')).record.reference).toBe(reference);
  const asked = registry.requests.length;
  expect((await ensure('tsrun-alias:1', 'missing')).record.reference).toBe(reference);
  expect((await ensure('tsrun-alias:1', 'never')).isNew).toBe(false);
  expect(registry.requests).toHaveLength(asked);
  expect(events.filter((event) => event.type === 'resolved')).toEqual(
    Array.from({ length: 3 }, () => ({ type: 'resolved', written: 'tsrun-alias:1', reference })),
  );
});

test('search registries are tried in their order, and what they lack is told', async () => {
  const image = await randomImage([10]);
  const first = await startFakeRegistry(image, (request, response) =>
    request.url === '/v2/' ? false : handled(response.writeHead(404).end()),
  );
  const second = await startFakeRegistry(image);
  const environment = withConf(`unqualified-search-registries = ["${first.host}", "${second.host}"]`);
  const events: PullEvent[] = [];
  const { record } = await ensureImage({
    paths: temporaryStore(),
    name: 'tsrun-searched',
    policy: 'missing',
    environment,
    unpacker: hashingUnpacker(),
    onEvent: (event) => events.push(event),
  });
  expect(record.reference).toBe(`${second.host}/tsrun-searched:latest`);
  expect(warnings(events)).toEqual([
    expect.stringContaining(
      `${first.host}/tsrun-searched:latest will not do: registry ${first.host} has no repository`,
    ),
  ]);
});

// The command's failure is the first one's; what docker.io, the last, had said was nowhere.
test('where no search registry will do, each has said why', async () => {
  const registry = await startFakeRegistry(await randomImage([10]), (request, response) =>
    request.url === '/v2/' ? false : handled(response.writeHead(404).end()),
  );
  const environment = withConf(`unqualified-search-registries = ["${registry.host}", "127.0.0.1:2"]`);
  const events: PullEvent[] = [];
  const options = {
    environment,
    unpacker: hashingUnpacker(),
    onEvent: (event: PullEvent) => events.push(event),
  };
  await expect(
    ensureImage({ paths: temporaryStore(), name: 'tsrun-nowhere', policy: 'missing', ...options }),
  ).rejects.toMatchObject({ code: 'ERR_TSRUN_REPOSITORY_UNKNOWN' });
  expect(warnings(events)).toEqual([
    expect.stringMatching(/tsrun-nowhere:latest will not do: .*; trying the next$/),
    expect.stringMatching(/^127\.0\.0\.1:2\/tsrun-nowhere:latest will not do: cannot reach registry.*\)$/),
  ]);
});

// The cause is OpenSSL's "tls_validate_record_header:wrong version number", which tells nobody what to do.
test('a registry of plain http, where TLS is insisted on, is one for --tls-verify=false', async () => {
  const registry = await startFakeRegistry(await randomImage([10]));
  await expect(
    testPull(temporaryStore(), `${registry.host}/app`, { tlsVerify: true }).result,
  ).rejects.toMatchObject({ hint: expect.stringMatching(/^--tls-verify=false .*plain http/) });
});

// `tsrun pull busybox` failed with "names several images of the store" as soon as two registries' images of that name were there.
test('several images of the store that end in a short name are in the way of no pull, nor of what search registries say', async () => {
  const registry = await startFakeRegistry(await randomImage([10]));
  const paths = temporaryStore();
  const environment = withConf(`unqualified-search-registries = ["${registry.host}"]`);
  for (const name of [`${registry.host}/one/app`, `${registry.host}/two/app`])
    await testPull(paths, name, { environment }).result;
  const ensure = (name: string, policy: 'always' | 'missing', ignoreStoreForShortNames: boolean) =>
    ensureImage({ paths, name, policy, environment, unpacker: hashingUnpacker(), ignoreStoreForShortNames });
  await expect(ensure('app', 'missing', false)).rejects.toMatchObject({ code: 'ERR_TSRUN_IMAGE_AMBIGUOUS' });
  expect((await ensure('app', 'always', true)).record.reference).toBe(`${registry.host}/app:latest`);
  const asked = registry.requests.length;
  const { record, isNew } = await ensure('app', 'missing', false);
  expect([record.reference, isNew]).toEqual([`${registry.host}/app:latest`, false]);
  expect(registry.requests).toHaveLength(asked);
});
