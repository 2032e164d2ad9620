import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatReference, parseName, parseReference } from '../../../src/spec/reference.ts';

const HEX = 'ab'.repeat(32);

describe('parseReference', () => {
  test.each([
    ['httpd', 'docker.io/library/httpd:latest'],
    ['httpd:2.4', 'docker.io/library/httpd:2.4'],
    ['team/app', 'docker.io/team/app:latest'],
    ['docker.io/httpd', 'docker.io/library/httpd:latest'],
    ['index.docker.io/team/app', 'docker.io/team/app:latest'],
    ['docker://quay.io/a/b:c', 'quay.io/a/b:c'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['127.0.0.1:5000/a/b/c:d', '127.0.0.1:5000/a/b/c:d'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    ['MyHost/app', 'MyHost/app:latest'],
    ['host.example:443/app', 'host.example:443/app:latest'],
    [`httpd@sha256:${HEX}`, `docker.io/library/httpd@sha256:${HEX}`],
    [`httpd:2.4@sha256:${HEX}`, `docker.io/library/httpd@sha256:${HEX}`],
    ['a__b/c-d.e--f', 'docker.io/a__b/c-d.e--f:latest'],
  ])('%s is %s', (written, full) => expect(formatReference(parseReference(written))).toBe(full));

  test.each([
    ['Httpd', /lowercase/, 'write httpd'],
    ['https://quay.io/team/app:1/', /"https:" is not a host/, 'write quay.io/team/app:1'],
    ['quay.io/Team/App:Tag', /lowercase/, 'write quay.io/team/app:Tag'],
    ['', /no repository/, undefined],
    ['quay.io/', /no repository/, undefined],
    ['a//b', /may only hold/, undefined],
    ['-a', /may only hold/, undefined],
    ['a___b', /may only hold/, undefined],
    ['a:', /not a tag/, undefined],
    ['a:-b', /not a tag/, undefined],
    [`a:${'x'.repeat(129)}`, /not a tag/, undefined],
    ['a@sha256:abc', /not a digest/, undefined],
    [`a@sha256:${HEX.toUpperCase()}`, /not a digest/, undefined],
    [HEX, /image id/, undefined],
    ['bad_host.x/app', /not a host/, undefined],
    ['../../etc', /not a host/, undefined],
    ['localhost:65536/app', /not a host/, undefined], // a URL with it cannot be made: that was "a bug in tsrun"
    ['docker-daemon:app', /docker save IMAGE/, undefined],
    ['containers-storage:localhost/app', /podman save IMAGE/, undefined],
    [`a/${'b'.repeat(300)}`, /longer than 255/, undefined],
    ['a\nb', /may only hold/, undefined],
  ])('%j is refused', (written, problem, hint) => {
    expect(() => parseReference(written)).toThrow(problem);
    expect(() => parseReference(written)).toThrow(
      expect.objectContaining({ code: 'ERR_TSRUN_REFERENCE', hint }),
    );
  });

  const part = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,5})?$/);
  const host = fc.constantFrom(
    'quay.io',
    'localhost',
    'localhost:5000',
    '10.0.0.1:80',
    'reg.example.com:8443',
    '[fe80::1]:5000',
  );
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);

  test('what is formatted is parsed to the same', () => {
    const name = fc.tuple(host, fc.array(part, { minLength: 1, maxLength: 4 }), tag);
    fc.assert(
      fc.property(name, ([registry, parts, t]) => {
        const reference = parseReference(`${registry}/${parts.join('/')}:${t}`);
        expect(reference).toEqual({ registry, repository: parts.join('/'), tag: t });
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });

  test('any text is either refused, or parsed to what formats to a fixed point', () => {
    const text = fc.string({
      unit: fc.constantFrom(...'aZ0./:@-_~ []'.split(''), 'sha256:', HEX),
      maxLength: 20,
    });
    fc.assert(
      fc.property(text, (written) => {
        let full: string;
        try {
          full = formatReference(parseReference(written));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_TSRUN_REFERENCE' });
          return;
        }
        expect(formatReference(parseReference(full))).toBe(full);
      }),
      { numRuns: 2000 },
    );
  });
});

test('parseName tells what was written', () => {
  expect(parseName('httpd')).toEqual({
    registry: undefined,
    path: 'httpd',
    tag: undefined,
    digest: undefined,
  });
  expect(parseName('localhost/a:b')).toEqual({
    registry: 'localhost',
    path: 'a',
    tag: 'b',
    digest: undefined,
  });
});
