/** What a registry is asked besides images: tags, repositories, a search. */
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { remoteTags } from '../../src/image/remote-tags.ts';
import { searchRegistry } from '../../src/registry/search.ts';
import { type FakeRegistry, handled, type Override, startFakeRegistry } from '../support/fake-registry.ts';
import { type ImageFixture, randomImage } from '../support/image-fixture.ts';
import { pushImage } from '../support/push-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

const access = {
  environment: { HOME: '/nonexistent' },
  retry: { attempts: 2, firstDelayMs: 1, longestDelayMs: 1 },
};

const json = (response: ServerResponse, value: unknown, headers: Record<string, string> = {}): true =>
  handled(
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value)),
  );

describe('a real registry', () => {
  let registry: Registry;
  let image: ImageFixture;
  beforeAll(async () => {
    registry = await startRegistry();
    image = await randomImage([10]);
    for (const tag of ['1', '2', 'latest']) await pushImage(registry.host, 'team/app', tag, image);
    await pushImage(registry.host, 'other/thing', 'latest', image);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test('lists the tags of an image', async () => {
    const { repository, tags } = await remoteTags(`${registry.host}/team/app`, access);
    expect(repository).toBe(`${registry.host}/team/app`);
    expect(tags.sort()).toEqual(['1', '2', 'latest']);
    await expect(remoteTags(`${registry.host}/team/none`, access)).rejects.toMatchObject({
      code: 'ERR_TSRUN_REPOSITORY_UNKNOWN',
    });
  });

  test('has no search, but a list of all', async () => {
    const found = await searchRegistry(registry.host, 'app', 25, access);
    expect(found.map(({ name }) => name)).toEqual([`${registry.host}/team/app`]);
    expect(await searchRegistry(registry.host, '', 1, access)).toHaveLength(1);
  });
});

describe('registries made to wedge', () => {
  const startLister = async (override: Override): Promise<FakeRegistry> =>
    startFakeRegistry(await randomImage([1]), override);

  test('pages are followed to the last', async () => {
    const registry = await startLister((request, response) => {
      const url = new URL(request.url!, 'http://x');
      if (!url.pathname.endsWith('/tags/list')) return false;
      const at = Number(url.searchParams.get('last') ?? 0);
      const link = `<${url.pathname}?last=${at + 1}&n=2>; rel="next"`;
      return json(response, { tags: [`t${at}`, `u${at}`] }, at < 4 ? { link } : {});
    });
    expect((await remoteTags(`${registry.host}/a`, access)).tags).toHaveLength(10);
  });

  test('pages in a circle end in an error', async () => {
    const registry = await startLister((request, response) => {
      if (!request.url!.includes('/tags/list')) return false;
      return json(response, { tags: ['x'] }, { link: '</v2/a/tags/list?again=1>; rel="next"' });
    });
    await expect(remoteTags(`${registry.host}/a`, access)).rejects.toThrow(/answered a list that has no end/);
    expect(registry.requests.length).toBeLessThan(6);
  });

  test('a next page on another host is not fetched', async () => {
    const elsewhere = await startLister(() => false);
    const registry = await startLister((request, response) => {
      if (!request.url!.includes('/tags/list')) return false;
      return json(response, { tags: ['x'] }, { link: `<${elsewhere.origin}/v2/a/tags/list>; rel="next"` });
    });
    expect((await remoteTags(`${registry.host}/a`, access)).tags).toEqual(['x']);
    expect(elsewhere.requests).toEqual([]);
  });

  test('tags that are no tags are left out', async () => {
    const registry = await startLister(
      (request, response) =>
        request.url!.includes('/tags/list') &&
        json(response, { tags: ['ok', '\u001b[2J', '../x', 7, null, ''] }),
    );
    expect((await remoteTags(`${registry.host}/a`, access)).tags).toEqual(['ok']);
  });

  test.each([
    ['no JSON', '<html>'],
    ['another JSON', '{"tags":{"a":1}}'],
    ['nothing', ''],
  ])('%s', async (_, body) => {
    const registry = await startLister(
      (request, response) => request.url!.includes('/tags/list') && handled(response.end(body)),
    );
    await expect(remoteTags(`${registry.host}/a`, access)).rejects.toThrow(/something that is no list/);
  });

  test("the first API's search, without what would steer a terminal", async () => {
    const registry = await startLister((request, response) => {
      if (!request.url!.startsWith('/v1/search')) return false;
      const results = [
        { name: 'team/app', description: 'a\u001b[31m\nb', star_count: 7, is_official: true },
        { name: '../../x' },
        null,
        { name: 'team/other' },
      ];
      return json(response, { results });
    });
    expect(await searchRegistry(registry.host, 'app', 25, access)).toEqual([
      {
        registry: registry.host,
        name: `${registry.host}/team/app`,
        description: 'a [31m b',
        stars: 7,
        isOfficial: true,
        isAutomated: false,
      },
      expect.objectContaining({ name: `${registry.host}/team/other`, description: '' }),
    ]);
    expect(registry.requests.at(-1)!.url).toBe('/v1/search?q=app&n=25');
  });

  test('no search at all', async () => {
    const registry = await startLister((request, response) =>
      request.url === '/v2/' ? false : handled(response.writeHead(404).end()),
    );
    await expect(searchRegistry(registry.host, 'x', 25, access)).rejects.toMatchObject({
      code: 'ERR_TSRUN_NO_SEARCH',
    });
  });
});
