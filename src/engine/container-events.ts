/** A container's events: what its supervisor is to put into each, and those that commands add. */
import type { ContainerRecord } from '../store/container-record.ts';
import { logEvent, type NewEvent } from '../store/event-log.ts';
import { eventLogPath } from '../store/paths.ts';
import { EVENT_FIELDS_MAX } from '../supervisor/protocol.ts';
import type { SupervisorSpec } from '../supervisor/spec.ts';
import type { Engine } from './open-engine.ts';

type Known = Pick<ContainerRecord, 'id' | 'name' | 'image' | 'labels'>;

const fieldsOf = ({ id, name, image, labels }: Known): Omit<NewEvent, 'status'> => ({
  type: 'container',
  id,
  name,
  image,
  ...(Object.keys(labels).length > 0 && { attributes: labels }),
});

/** What is within the braces. Labels that leave no room for the rest are left out, the last ones first. */
function fieldsText(record: Known): string {
  let known = record;
  for (;;) {
    const text = JSON.stringify(fieldsOf(known)).slice(1, -1);
    const entries = Object.entries(known.labels);
    if (Buffer.byteLength(text) <= EVENT_FIELDS_MAX || entries.length === 0) return text;
    known = { ...known, labels: Object.fromEntries(entries.slice(0, -1)) };
  }
}

/** The part of a supervisor's spec. */
export const eventSpec = (engine: Engine, record: Known): Pick<SupervisorSpec, 'events'> => ({
  events: { path: eventLogPath(engine.paths), fields: fieldsText(record) },
});

/** @param more what there is to say besides labels, as docker has it */
export function logContainerEvent(
  engine: Pick<Engine, 'paths'>,
  record: Known,
  status: string,
  more: Readonly<Record<string, string>> = {},
): void {
  const fields = fieldsOf(record);
  const attributes = { ...fields.attributes, ...more };
  logEvent(engine.paths, {
    status,
    ...fields,
    ...(Object.keys(attributes).length > 0 && { attributes }),
  });
}
