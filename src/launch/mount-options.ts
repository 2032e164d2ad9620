/** The options of an OCI mount (runtime-spec config.md "mounts", mount(8)), sorted into what the kernel wants where. Pure. */
import {
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_PRIVATE,
  MS_SHARED,
  MS_SLAVE,
} from '../sys/constants.ts';

/** The key of an option of ours: the mount namespace that the source of the mount is in, as a path. */
export const MOUNT_NAMESPACE = 'x-mount-namespace';

export interface MountOptions {
  bind: 'none' | 'bind' | 'rbind';
  /** MOUNT_ATTR_* to set */
  attributes: number;
  /** Do `rro`-like recursive attributes apply to submounts too? */
  recursive: boolean;
  /** MS_PRIVATE, MS_SLAVE or MS_SHARED */
  propagation: number;
  /** For the file system itself: [key, value], or [key] for a flag. */
  data: ([string] | [string, string])[];
}

const ATTRIBUTES: Record<string, number> = {
  ro: MOUNT_ATTR_RDONLY,
  rro: MOUNT_ATTR_RDONLY,
  nosuid: MOUNT_ATTR_NOSUID,
  nodev: MOUNT_ATTR_NODEV,
  noexec: MOUNT_ATTR_NOEXEC,
  noatime: MOUNT_ATTR_NOATIME,
  nodiratime: MOUNT_ATTR_NODIRATIME,
  strictatime: MOUNT_ATTR_STRICTATIME,
  nosymfollow: MOUNT_ATTR_NOSYMFOLLOW,
};

const OPPOSITES: Record<string, number> = {
  rw: MOUNT_ATTR_RDONLY,
  suid: MOUNT_ATTR_NOSUID,
  dev: MOUNT_ATTR_NODEV,
  exec: MOUNT_ATTR_NOEXEC,
  atime: MOUNT_ATTR_NOATIME,
  diratime: MOUNT_ATTR_NODIRATIME,
  relatime: 0,
  norelatime: 0,
  symfollow: MOUNT_ATTR_NOSYMFOLLOW,
};

const PROPAGATION: Record<string, number> = {
  private: MS_PRIVATE,
  rprivate: MS_PRIVATE,
  slave: MS_SLAVE,
  rslave: MS_SLAVE,
  shared: MS_SHARED,
  rshared: MS_SHARED,
};

/** Later options win over earlier ones, as in mount(8). */
export function parseMountOptions(options: readonly string[]): MountOptions {
  const result: MountOptions = {
    bind: 'none',
    attributes: 0,
    recursive: false,
    propagation: MS_PRIVATE,
    data: [],
  };
  for (const option of options) {
    const set = ATTRIBUTES[option];
    const cleared = OPPOSITES[option];
    const propagation = PROPAGATION[option];
    if (set !== undefined) {
      result.attributes |= set;
      if (option === 'rro') result.recursive = true;
    } else if (cleared !== undefined) result.attributes &= ~cleared;
    else if (propagation !== undefined) result.propagation = propagation;
    else if (option === 'bind' || option === 'rbind') result.bind = option;
    else if (option !== 'defaults') {
      const at = option.indexOf('=');
      result.data.push(at === -1 ? [option] : [option.slice(0, at), option.slice(at + 1)]);
    }
  }
  return result;
}
