/** A container's own cgroups: what is made before its first process, what that process does, and what goes with its end. */
import type { RuntimeResources } from '../../spec/runtime.ts';
import { call, close, op, writeFile } from '../../sys/calls.ts';
import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from '../../sys/constants.ts';
import type { Slots, Step } from '../../sys/step.ts';
import { type Controller, controllersFor, limitFiles, limitsInForce } from './limit-files.ts';
import type { CgroupPlace } from './places.ts';

export interface CgroupPlan {
  /** One directory for each place. */
  directories: string[];
  /** Controllers that its limits need and that are not to be had. */
  missing: Controller[];
  /** Where the kernel counts what it killed for want of memory. */
  oomFile?: string;
  /** Steps of the supervisor-to-be: once for all its starts of the container, so that what `update` writes later stays. */
  make: (slots: Slots) => Step[];
  /** Is it one of those? */
  makes: (step: Step) => boolean;
  /** Steps that remove it when it is empty. */
  remove: Step[];
}

/** @param pid of the process that starts the container */
export function planCgroup(
  places: readonly CgroupPlace[],
  name: string,
  resources: RuntimeResources,
  pid: number,
): CgroupPlan {
  const asked = controllersFor(resources);
  const limits = limitsInForce(resources);
  const offered = places.flatMap((place) => place.controllers);
  const own = places.map((place) => ({ place, directory: `${place.directory}/${name}` }));
  const made = new Set<Step>();
  const memory = own.find(({ place }) => place.controllers.includes('memory'));
  return {
    directories: own.map(({ directory }) => directory),
    missing: asked.filter((controller) => !offered.includes(controller)),
    ...(memory &&
      asked.includes('memory') && {
        oomFile: `${memory.directory}/memory.${memory.place.version === 2 ? 'events' : 'oom_control'}`,
      }),
    make: (slots) => {
      const steps = own.flatMap(({ place, directory }) => makeOne(slots, place, directory, limits, pid));
      for (const step of steps) made.add(step);
      return steps;
    },
    makes: (step) => made.has(step),
    remove: own.map(({ directory }) =>
      op(
        'supervisor',
        'its cgroup goes with it, and those that it has made below',
        { kind: 'remove-tree', dir: AT_FDCWD, path: directory, cgroups: true },
        { tolerate: ['EBUSY', 'EACCES', 'EPERM'] },
      ),
    ),
  };
}

function makeOne(
  slots: Slots,
  place: CgroupPlace,
  directory: string,
  limits: RuntimeResources,
  pid: number,
): Step[] {
  const files = limitFiles(limits, place.version).filter(({ controller }) =>
    place.controllers.includes(controller),
  );
  const needed = [...new Set(files.map(({ controller }) => controller))];
  const enable = needed.filter((controller) => !place.enabled.includes(controller));
  return [
    ...(enable.length > 0 ? turnOn(slots, place, enable, pid) : []),
    ...makeDirectory(directory, 'a cgroup of the container’s own'),
    ...(place.version === 1 && needed.includes('cpuset') ? inheritCpuset(slots, place, directory) : []),
    ...files.flatMap((file) => {
      const why = `limit ${file.name.replace(/[._].*/, '')}: ${file.name} = ${file.value}`;
      return writeFile('rootless', slots, {
        path: `${directory}/${file.name}`,
        value: file.value,
        why,
        ...(file.mayLack && { tolerate: { open: ['ENOENT'] } }),
      });
    }),
  ];
}

/** Only a cgroup without processes may hand controllers down (cgroup-v2.rst, "no internal process constraint"). */
function turnOn(slots: Slots, place: CgroupPlace, controllers: readonly string[], pid: number): Step[] {
  const leaf = `${place.directory}/tsrun`;
  const procs = `${leaf}/cgroup.procs`;
  const leave = [
    ...makeDirectory(leaf, 'where tsrun itself goes: a cgroup with processes hands no controllers down'),
    ...writeFile('rootless', slots, {
      path: procs,
      value: String(pid),
      why: 'tsrun goes there',
      tolerate: { write: ['ESRCH'] },
    }),
    ...writeFile('rootless', slots, { path: procs, value: '0', why: 'and so does its supervisor' }),
  ];
  const words = controllers.map((name) => `+${name}`).join(' ');
  const path = `${place.directory}/cgroup.subtree_control`;
  return [
    ...(place.crowded ? leave : []),
    ...writeFile('rootless', slots, { path, value: words, why: 'hand controllers down' }),
  ];
}

/** In v1 a new cpuset is empty, and takes no process before it has processors and memory nodes. */
function inheritCpuset(slots: Slots, place: CgroupPlace, directory: string): Step[] {
  return ['cpuset.cpus', 'cpuset.mems'].flatMap((name) => {
    const why = `${name} as above, to begin with`;
    const [from, to] = [slots.new(`${name}.r`), slots.new(`${name}.w`)];
    const text = { buffer: 4096 };
    const length = slots.new(`${name}.length`);
    return [
      call('rootless', why, 'openat', [AT_FDCWD, `${place.directory}/${name}`, O_CLOEXEC, 0], {
        result: from,
      }),
      call('rootless', why, 'read', [from, text, 4096], { result: length }),
      call('rootless', why, 'openat', [AT_FDCWD, `${directory}/${name}`, O_WRONLY | O_CLOEXEC, 0], {
        result: to,
      }),
      call('rootless', why, 'write', [to, text, length]),
      close('rootless', 'read', from),
      close('rootless', 'written', to),
    ];
  });
}

/** It may be there from an earlier start, or another container. */
const makeDirectory = (path: string, why: string): Step[] => [
  call('rootless', why, 'mkdirat', [AT_FDCWD, path, 0o755], { tolerate: ['EEXIST'] }),
];
