import { expect, test } from 'vitest';
import type { ImageRunConfig } from '../../../src/spec/image.ts';
import { applyChange } from '../../../src/spec/image-change.ts';

const apply = (...changes: string[]): ImageRunConfig => changes.reduce<ImageRunConfig>(applyChange, {});

test.each<[string, ImageRunConfig]>([
  ['CMD ["/bin/sh", "-l"]', { Cmd: ['/bin/sh', '-l'] }],
  ['CMD echo $HOME', { Cmd: ['/bin/sh', '-c', 'echo $HOME'] }],
  ['CMD=/bin/sh', { Cmd: ['/bin/sh', '-c', '/bin/sh'] }],
  ['cmd []', { Cmd: [] }],
  ['ENTRYPOINT ["/init"]', { Entrypoint: ['/init'] }],
  ['ENV A=1 B="2 3" C=4\\ 5', { Env: ['A=1', 'B=2 3', 'C=4 5'] }],
  ['ENV A one two', { Env: ['A=one two'] }],
  ['EXPOSE 80 53/UDP', { ExposedPorts: { '80/tcp': {}, '53/udp': {} } }],
  ["LABEL a.b=c d='e f'", { Labels: { 'a.b': 'c', d: 'e f' } }],
  ['ONBUILD RUN make', { OnBuild: ['RUN make'] }],
  ['STOPSIGNAL SIGQUIT', { StopSignal: 'SIGQUIT' }],
  ['USER 33:33', { User: '33:33' }],
  ['VOLUME /data /more', { Volumes: { '/data': {}, '/more': {} } }],
  ['VOLUME ["/da ta"]', { Volumes: { '/da ta': {} } }],
  ['WORKDIR /srv', { WorkingDir: '/srv' }],
])('%s', (change, config) => {
  expect(apply(change)).toEqual(config);
});

test('changes build on each other', () => {
  expect(apply('ENV A=1 B=2', 'ENV A=3', 'WORKDIR /a', 'WORKDIR b')).toEqual({
    Env: ['A=3', 'B=2'],
    WorkingDir: '/a/b',
  });
});

test.each(['RUN make', 'CMD', 'EXPOSE http', 'ENV A', '', 'LABEL =x'])('"%s" is refused', (change) => {
  expect(() => apply(change)).toThrow(/--change/);
});
