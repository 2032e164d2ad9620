/** All commands. Each is loaded when it is called. */
import type { Command } from './command.ts';

export interface CommandEntry {
  /** One line for the overview. */
  summary: string;
  load(): Promise<Command>;
}

/** In the order of the overview. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  run: {
    summary: 'Run a command in a new container',
    load: async () => (await import('./commands/run.ts')).RUN,
  },
  create: {
    summary: 'Make a container without starting it',
    load: async () => (await import('./commands/create.ts')).CREATE,
  },
  start: {
    summary: 'Start containers that were made or have ended',
    load: async () => (await import('./commands/start.ts')).START,
  },
  exec: {
    summary: 'Run a command in a running container',
    load: async () => (await import('./commands/exec.ts')).EXEC,
  },
  attach: {
    summary: 'Connect to the streams of a running container',
    load: async () => (await import('./commands/attach.ts')).ATTACH,
  },
  ps: { summary: 'List containers', load: async () => (await import('./commands/ps.ts')).PS },
  logs: {
    summary: 'Print what a container has written',
    load: async () => (await import('./commands/logs.ts')).LOGS,
  },
  stop: {
    summary: 'Stop containers, gently at first',
    load: async () => (await import('./commands/stop.ts')).STOP,
  },
  restart: {
    summary: 'Stop containers and start them again',
    load: async () => (await import('./commands/restart.ts')).RESTART,
  },
  pause: {
    summary: 'Hold all processes of containers',
    load: async () => (await import('./commands/pause.ts')).PAUSE,
  },
  unpause: {
    summary: 'Let the processes of paused containers go on',
    load: async () => (await import('./commands/unpause.ts')).UNPAUSE,
  },
  'healthcheck run': {
    summary: "Run a container's health check now",
    load: async () => (await import('./commands/healthcheck-run.ts')).HEALTHCHECK_RUN,
  },
  kill: {
    summary: 'Send a signal to containers',
    load: async () => (await import('./commands/kill.ts')).KILL,
  },
  wait: {
    summary: 'Wait until containers end, and print their exit status',
    load: async () => (await import('./commands/wait.ts')).WAIT,
  },
  rm: { summary: 'Remove containers', load: async () => (await import('./commands/rm.ts')).RM },
  inspect: {
    summary: 'Print all that is known of containers, images, networks and volumes',
    load: async () => (await import('./commands/inspect.ts')).INSPECT,
  },
  port: {
    summary: "List a container's published ports",
    load: async () => (await import('./commands/port.ts')).PORT,
  },
  pull: {
    summary: 'Fetch images from a registry',
    load: async () => (await import('./commands/pull.ts')).PULL,
  },
  search: {
    summary: 'Look for images at registries',
    load: async () => (await import('./commands/search.ts')).SEARCH,
  },
  'list-tags': {
    summary: 'List the tags that an image has at its registry',
    load: async () => (await import('./commands/list-tags.ts')).LIST_TAGS,
  },
  push: {
    summary: 'Put an image into a registry',
    load: async () => (await import('./commands/push.ts')).PUSH,
  },
  login: {
    summary: 'Log in to a registry',
    load: async () => (await import('./commands/login.ts')).LOGIN,
  },
  logout: {
    summary: 'Forget the login for a registry',
    load: async () => (await import('./commands/logout.ts')).LOGOUT,
  },
  images: { summary: 'List images', load: async () => (await import('./commands/images.ts')).IMAGES },
  rmi: { summary: 'Remove images', load: async () => (await import('./commands/rmi.ts')).RMI },
  tag: { summary: 'Give an image more names', load: async () => (await import('./commands/tag.ts')).TAG },
  untag: {
    summary: 'Take names away from an image',
    load: async () => (await import('./commands/untag.ts')).UNTAG,
  },
  save: {
    summary: 'Write images to an archive or a directory',
    load: async () => (await import('./commands/save.ts')).SAVE,
  },
  load: {
    summary: 'Read images from an archive or a directory',
    load: async () => (await import('./commands/load.ts')).LOAD,
  },
  copy: {
    summary: 'Copy an image from one place to another',
    load: async () => (await import('./commands/copy.ts')).COPY,
  },
  import: {
    summary: 'Make an image of the archive of a root file system',
    load: async () => (await import('./commands/import.ts')).IMPORT,
  },
  history: {
    summary: 'Print how an image was made',
    load: async () => (await import('./commands/history.ts')).HISTORY,
  },
  'image exists': {
    summary: 'Tell by the exit status whether there is an image',
    load: async () => (await import('./commands/image-exists.ts')).IMAGE_EXISTS,
  },
  'image prune': {
    summary: 'Remove images that no container is made from',
    load: async () => (await import('./commands/image-prune.ts')).IMAGE_PRUNE,
  },
  'image mount': {
    summary: 'Mount images to look at them',
    load: async () => (await import('./commands/image-mount.ts')).IMAGE_MOUNT,
  },
  'image unmount': {
    summary: 'Unmount images',
    load: async () => (await import('./commands/image-unmount.ts')).IMAGE_UNMOUNT,
  },
  'image trust': {
    summary: 'Show and change which images may be used',
    load: async () => (await import('./commands/image-trust.ts')).IMAGE_TRUST,
  },
  'image tree': {
    summary: 'Print the layers of an image',
    load: async () => (await import('./commands/image-tree.ts')).IMAGE_TREE,
  },
  'manifest inspect': {
    summary: 'Print the index or manifest of an image at its registry',
    load: async () => (await import('./commands/manifest-inspect.ts')).MANIFEST_INSPECT,
  },
  export: {
    summary: "Write a container's files as a tar archive",
    load: async () => (await import('./commands/export.ts')).EXPORT,
  },
  cp: {
    summary: 'Copy files between a container and this machine, or another container',
    load: async () => (await import('./commands/cp.ts')).CP,
  },
  commit: {
    summary: 'Make an image of a container',
    load: async () => (await import('./commands/commit.ts')).COMMIT,
  },
  diff: {
    summary: 'List the files that a container, or the last layer of an image, has changed',
    load: async () => (await import('./commands/diff.ts')).DIFF,
  },
  update: {
    summary: 'Change limits, the restart policy and the health check of containers',
    load: async () => (await import('./commands/update.ts')).UPDATE,
  },
  mount: {
    summary: 'Mount containers to look at their files',
    load: async () => (await import('./commands/mount.ts')).MOUNT,
  },
  umount: {
    summary: 'Unmount containers',
    load: async () => (await import('./commands/umount.ts')).UMOUNT,
  },
  rename: {
    summary: 'Give a container another name',
    load: async () => (await import('./commands/rename.ts')).RENAME,
  },
  top: {
    summary: 'List the processes of a container',
    load: async () => (await import('./commands/top.ts')).TOP,
  },
  stats: {
    summary: 'Print how much CPU, memory, network and disk containers use',
    load: async () => (await import('./commands/stats.ts')).STATS,
  },
  events: {
    summary: 'Print what happens to containers, images, volumes and networks',
    load: async () => (await import('./commands/events.ts')).EVENTS,
  },
  'container exists': {
    summary: 'Tell by the exit status whether there is a container',
    load: async () => (await import('./commands/container-exists.ts')).CONTAINER_EXISTS,
  },
  'container prune': {
    summary: 'Remove containers that do not run',
    load: async () => (await import('./commands/container-prune.ts')).CONTAINER_PRUNE,
  },
  'volume export': {
    summary: 'Write a volume as a tar archive',
    load: async () => (await import('./commands/volume-export.ts')).VOLUME_EXPORT,
  },
  'volume import': {
    summary: 'Put what is in a tar archive into a volume',
    load: async () => (await import('./commands/volume-import.ts')).VOLUME_IMPORT,
  },
  'network create': {
    summary: 'Make a bridge network',
    load: async () => (await import('./commands/network-create.ts')).NETWORK_CREATE,
  },
  'network ls': {
    summary: 'List bridge networks',
    load: async () => (await import('./commands/network-ls.ts')).NETWORK_LS,
  },
  'network inspect': {
    summary: 'Print all that is known of networks',
    load: async () => (await import('./commands/network-inspect.ts')).NETWORK_INSPECT,
  },
  'network reload': {
    summary: 'Make the network of running containers good again',
    load: async () => (await import('./commands/network-reload.ts')).NETWORK_RELOAD,
  },
  'network rm': {
    summary: 'Remove networks',
    load: async () => (await import('./commands/network-rm.ts')).NETWORK_RM,
  },
  'network prune': {
    summary: 'Remove networks that no container uses',
    load: async () => (await import('./commands/network-prune.ts')).NETWORK_PRUNE,
  },
  'network exists': {
    summary: 'Tell by the exit status whether there is a network',
    load: async () => (await import('./commands/network-exists.ts')).NETWORK_EXISTS,
  },
  'network connect': {
    summary: 'Connect a container to a network',
    load: async () => (await import('./commands/network-connect.ts')).NETWORK_CONNECT,
  },
  'network disconnect': {
    summary: 'Take a container off a network',
    load: async () => (await import('./commands/network-disconnect.ts')).NETWORK_DISCONNECT,
  },
  'volume create': {
    summary: 'Make a volume',
    load: async () => (await import('./commands/volume-create.ts')).VOLUME_CREATE,
  },
  'volume ls': {
    summary: 'List volumes',
    load: async () => (await import('./commands/volume-ls.ts')).VOLUME_LS,
  },
  'volume inspect': {
    summary: 'Print all that is known of volumes',
    load: async () => (await import('./commands/volume-inspect.ts')).VOLUME_INSPECT,
  },
  'volume rm': {
    summary: 'Remove volumes and what is in them',
    load: async () => (await import('./commands/volume-rm.ts')).VOLUME_RM,
  },
  'volume prune': {
    summary: 'Remove volumes that no container uses',
    load: async () => (await import('./commands/volume-prune.ts')).VOLUME_PRUNE,
  },
  'volume exists': {
    summary: 'Tell by the exit status whether there is a volume',
    load: async () => (await import('./commands/volume-exists.ts')).VOLUME_EXISTS,
  },
  explain: {
    summary: 'Show, step by step, what `run` would do, without doing it',
    load: async () => (await import('./commands/explain.ts')).EXPLAIN,
  },
  doctor: {
    summary: 'Check what this machine offers, and say how to get the rest',
    load: async () => (await import('./commands/doctor.ts')).DOCTOR,
  },
  unshare: {
    summary: 'Run a command in the user namespace of the containers',
    load: async () => (await import('./commands/unshare.ts')).UNSHARE,
  },
  'system df': {
    summary: 'Print how much room images, containers and volumes take',
    load: async () => (await import('./commands/system-df.ts')).SYSTEM_DF,
  },
  'system prune': {
    summary: 'Remove what is not used',
    load: async () => (await import('./commands/system-prune.ts')).SYSTEM_PRUNE,
  },
  'system check': {
    summary: 'Look for damage in the store, and repair it',
    load: async () => (await import('./commands/system-check.ts')).SYSTEM_CHECK,
  },
  'system reset': {
    summary: 'Remove everything that tsrun keeps',
    load: async () => (await import('./commands/system-reset.ts')).SYSTEM_RESET,
  },
  info: {
    summary: 'Describe the store, the engine and the machine',
    load: async () => (await import('./commands/info.ts')).INFO,
  },
  'ns ls': {
    summary: 'List the namespaces of containers, and who shares them',
    load: async () => (await import('./commands/ns-ls.ts')).NS_LS,
  },
  'ns inspect': {
    summary: 'Print what a container’s processes, users and files are called inside and outside',
    load: async () => (await import('./commands/ns-inspect.ts')).NS_INSPECT,
  },
  'ns enter': {
    summary: 'Run a command of this machine in namespaces of a container',
    load: async () => (await import('./commands/ns-enter.ts')).NS_ENTER,
  },
  'generate systemd': {
    summary: 'Print a systemd unit for a container',
    load: async () => (await import('./commands/generate-systemd.ts')).GENERATE_SYSTEMD,
  },
  completion: {
    summary: 'Print a script that completes the words of tsrun in a shell',
    load: async () => (await import('./commands/completion.ts')).COMPLETION,
  },
  version: {
    summary: 'Print the version',
    load: async () => (await import('./commands/version.ts')).VERSION,
  },
};

/** Commands about containers whose name is the same with `container` before it. */
const SAME_IN_A_GROUP =
  'run create start exec attach logs stop restart pause unpause kill wait rm port ps export cp commit diff mount umount rename update top stats'.split(
    ' ',
  );

/**
 * The words of docker's and podman's grouped commands → ours. A group must be listed here; those of its commands that have no other name
 * (`volume create`) are in COMMANDS under both words.
 */
export const GROUPED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  container: {
    ...Object.fromEntries(SAME_IN_A_GROUP.map((name) => [name, name])),
    unmount: 'umount',
    inspect: 'inspect --type container',
    ls: 'ps',
    list: 'ps',
  },
  image: {
    ...Object.fromEntries(
      [
        'pull',
        'push',
        'list-tags',
        'search',
        'tag',
        'untag',
        'history',
        'save',
        'load',
        'import',
        'diff',
      ].map((name) => [name, name]),
    ),
    ls: 'images',
    list: 'images',
    rm: 'rmi',
    remove: 'rmi',
    umount: 'image unmount',
    inspect: 'inspect --type image',
  },
  system: { info: 'info', events: 'events' },
  volume: { list: 'volume ls', remove: 'volume rm' },
  ns: { list: 'ns ls' },
  manifest: {},
  healthcheck: {},
  generate: {},
  network: { list: 'network ls', remove: 'network rm' },
};
