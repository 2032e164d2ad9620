/** One event as `tsrun events` prints it: podman's fields, and for templates docker's besides. */
import type { StoredEvent } from '../store/event-log.ts';
import type { Row } from './format/list.ts';

/** docker's word for it, where that is another one. */
const DOCKER: Readonly<Record<string, string>> = { died: 'die', remove: 'destroy', loadfromarchive: 'load' };

/** What `--filter event=` may say: either engine's word. */
export const podmanWord = (word: string): string =>
  Object.entries(DOCKER).find(([, docker]) => docker === word)?.[0] ?? word;

const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000);

/** Nanoseconds since 1970: more digits than a number of JavaScript has. */
const nanoseconds = (time: string): string => `${seconds(time)}${/\.(\d{9})/.exec(time)?.[1] ?? '000000000'}`;

/** `2026-01-02 15:04:05.123456789 +0000 UTC` */
const goTime = (time: string): string => `${time.replace('T', ' ').replace(/Z$/, '')} +0000 UTC`;

/** One object of `--format json`, in podman's order. */
export function eventJson(event: StoredEvent): string {
  const { exitCode, id, image, name, status, type, attributes = null, health, time } = event;
  const before = { ContainerExitCode: exitCode, ID: id, Image: image, Name: name, Status: status };
  const after = { Type: type, Attributes: attributes, health_status: health };
  // timeNano is put in as it is.
  const start = JSON.stringify({ ...before, time: seconds(time) }).slice(0, -1);
  return `${start},"timeNano":${nanoseconds(time)},${JSON.stringify(after).slice(1)}`;
}

/** docker's Actor.Attributes. */
function actorAttributes({ image, name, exitCode, attributes }: StoredEvent): Record<string, string> {
  return {
    ...attributes,
    ...(exitCode !== undefined && { exitCode: String(exitCode) }),
    ...(image !== undefined && { image }),
    ...(name !== undefined && { name }),
  };
}

/** The line without --format. */
export function eventText(event: StoredEvent, isFull = true): string {
  const { type, status, id, name = '', image, attributes = {}, health } = event;
  const parts = [
    goTime(event.time),
    type,
    status,
    ...(id === undefined ? [] : [isFull ? id : id.slice(0, 12)]),
  ];
  if (type !== 'container') {
    const about = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
    return [...parts, name, ...(about.length > 0 ? [`(${about.join(', ')})`] : [])].join(' ').trimEnd();
  }
  const known = [
    `image=${image ?? ''}`,
    `name=${name}`,
    ...(health === undefined ? [] : [`health_status=${health}`]),
    ...Object.entries(attributes).map(([key, value]) => `${key}=${value}`),
  ];
  return `${parts.join(' ')} (${known.join(', ')})`;
}

/** What a template sees. */
export function eventRow(event: StoredEvent): Row {
  const {
    exitCode,
    id = '',
    image = '',
    name = '',
    status,
    type,
    attributes = {},
    health = '',
    time,
  } = event;
  const action = type === 'container' || type === 'image' ? (DOCKER[status] ?? status) : status;
  return {
    ContainerExitCode: exitCode,
    ID: id,
    Image: image,
    Name: name,
    Status: status,
    Time: goTime(time),
    TimeNano: nanoseconds(time),
    Type: type,
    Attributes: attributes,
    HealthStatus: health,
    // docker's
    Action: health === '' ? action : `${action}: ${health}`,
    Actor: { ID: id || name, Attributes: actorAttributes(event) },
    From: image,
    Scope: 'local',
    ToHumanReadable: () => eventText(event),
  };
}
