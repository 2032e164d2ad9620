/**
 * Containers, their names, and volumes. Other commands go on meanwhile: what somebody has removed, or is removing, is no damage, so
 * whatever looks wrong is looked at once more; a name under the lock of names.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { writeFileAtomic } from '../../store/atomic-write.ts';
import type { ContainerRecord } from '../../store/container-record.ts';
import {
  containerDirectory,
  containerFiles,
  containerNamePath,
  containersDirectory,
  namesDirectory,
  volumeData,
  volumeDirectory,
  volumeRecord,
  volumesDirectory,
} from '../../store/paths.ts';
import type { Engine } from '../open-engine.ts';
import { removeDamagedContainer } from '../remove-damaged.ts';
import { type Findings, namesIn } from './damage.ts';
import { removeObject } from './remove-object.ts';

const list = (path: string): string[] => readdirSync(path);

export async function checkContainers(engine: Engine, findings: Findings): Promise<void> {
  const names = new Map<string, string>();
  for (const id of namesIn(findings, containersDirectory(engine.paths), list)) {
    findings.count('containers');
    const object = `container ${id.slice(0, 12)}`;
    const record = readRecord(engine, id);
    if (!existsSync(containerDirectory(engine.paths, id))) continue;
    if (record === undefined) {
      const found = { object, problem: 'its record cannot be read, so nobody knows what it is' };
      await findings.fix(found, 'removed, with what it had written', () =>
        removeDamagedContainer(engine, id),
      );
      continue;
    }
    names.set(record.name, id);
    await checkFiles(engine, findings, record);
  }
  await checkNames(engine, findings, names);
}

function readRecord(engine: Engine, id: string): ContainerRecord | undefined {
  try {
    return engine.containers.read(id);
  } catch {
    return undefined; // EACCES: as good as damaged, and removed through the namespaces
  }
}

/** A container without these cannot be started; what it had written is lost with `upper`. */
async function checkFiles(engine: Engine, findings: Findings, record: ContainerRecord): Promise<void> {
  const object = `container ${record.id.slice(0, 12)} (${record.name})`;
  const hint = `tsrun rm -f ${record.name}`;
  const files = containerFiles(engine.paths, record.id);
  const problems: string[] = [];
  const needed = [files.upper, files.mountpoint, ...(record.rootfsDriver === 'copy' ? [] : [files.work])];
  for (const path of needed) {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) problems.push(`${path} is missing`);
  }
  try {
    JSON.parse(readFileSync(files.config, 'utf8'));
  } catch (error) {
    problems.push(`its runtime configuration cannot be read: ${(error as Error).message}`);
  }
  if (!existsSync(files.directory)) return;
  for (const problem of problems) findings.tell(object, problem, hint);
}

/** Each container has its name, and each name its container. @param names name → id, as the containers' records say */
async function checkNames(
  engine: Engine,
  findings: Findings,
  names: ReadonlyMap<string, string>,
): Promise<void> {
  const place = (name: string): string => containerNamePath(engine.paths, name);
  for (const name of namesIn(findings, namesDirectory(engine.paths), list)) {
    const isLeft = (): boolean =>
      lstatSync(place(name), { throwIfNoEntry: false }) !== undefined &&
      readRecord(engine, engine.containers.idOfName(name) ?? '')?.name !== name;
    if (!isStillSo(engine, isLeft)) continue;
    const found = { object: `name ${name}`, problem: 'there is no such container' };
    await findings.fix(found, 'removed', () => {
      isStillSo(engine, isLeft, () => rmSync(place(name), { recursive: true, force: true }));
    });
  }
  for (const [name, id] of names) {
    const isLost = (): boolean => linkAt(place(name)) !== id && readRecord(engine, id)?.name === name;
    if (!isStillSo(engine, isLost)) continue;
    const found = {
      object: `container ${id.slice(0, 12)} (${name})`,
      problem: 'its name does not lead to it',
    };
    await findings.fix(found, 'it has its name again', () => {
      isStillSo(engine, isLost, () => {
        mkdirSync(namesDirectory(engine.paths), { recursive: true, mode: 0o700 }); // it may be what was lost
        rmSync(place(name), { recursive: true, force: true });
        symlinkSync(id, place(name));
      });
    });
  }
}

/**
 * Whether it is so when nobody is making, renaming or removing a container, and not only now, when somebody may be half-way; if so, `work` is
 * done before anybody goes on. (A second look 50 ms later came too early where a disk or a processor was busy.)
 */
function isStillSo(engine: Engine, isSo: () => boolean, work?: () => void): boolean {
  if (!isSo()) return false;
  using _lock = engine.containers.lockNames();
  if (!isSo()) return false;
  work?.();
  return true;
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // not there, or no link: both are damage
  }
}

export async function checkVolumes(engine: Engine, findings: Findings): Promise<void> {
  for (const name of namesIn(findings, volumesDirectory(engine.paths), list)) {
    findings.count('volumes');
    const object = `volume ${name}`;
    const directory = volumeDirectory(engine.paths, name);
    const stat = lstatSync(directory, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (!stat.isDirectory()) {
      const found = { object, problem: 'it is not a directory' };
      await findings.fix(found, 'removed', () => removeObject(engine, directory));
    } else if (!existsSync(volumeData(engine.paths, name))) {
      if (!existsSync(directory)) continue;
      findings.tell(object, 'its files are lost', `tsrun volume rm -f ${name}`);
    } else if (!isRecordWhole(volumeRecord(engine.paths, name)) && existsSync(directory)) {
      const found = { object, problem: 'its record is lost; its files are there' };
      await findings.fix(found, 'it is a named volume without labels now', () => {
        const record = {
          name,
          anonymous: false,
          createdAt: new Date().toISOString(),
          labels: {},
          options: {},
        };
        writeFileAtomic(engine.paths, volumeRecord(engine.paths, name), JSON.stringify(record));
      });
    }
  }
}

function isRecordWhole(path: string): boolean {
  try {
    return typeof JSON.parse(readFileSync(path, 'utf8')) === 'object';
  } catch {
    return false;
  }
}
