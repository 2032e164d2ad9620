/** File systems by the f_type of statfs(2): linux/magic.h, and the file systems' own sources. */

interface FileSystem {
  name: string;
  /** Local, with owners, modes and links as Linux has them: a store works there, and nothing need be tried. */
  isOrdinary?: boolean;
  /** Files are on a server, which knows no user namespaces. */
  isRemote?: boolean;
  isMemory?: boolean;
}

const KNOWN: Readonly<Record<number, FileSystem>> = {
  61267: { name: 'ext4', isOrdinary: true },
  1481003842: { name: 'XFS', isOrdinary: true },
  2435016766: { name: 'btrfs', isOrdinary: true },
  3393526350: { name: 'bcachefs', isOrdinary: true },
  4076150800: { name: 'F2FS', isOrdinary: true },
  801189825: { name: 'ZFS', isOrdinary: true },
  827541066: { name: 'JFS', isOrdinary: true },
  1382369651: { name: 'ReiserFS', isOrdinary: true },
  16914836: { name: 'tmpfs', isOrdinary: true, isMemory: true },
  2240043254: { name: 'ramfs', isOrdinary: true, isMemory: true },
  2035054128: { name: 'overlay', isOrdinary: true },
  26985: { name: 'NFS', isRemote: true },
  198183888: { name: 'Lustre', isRemote: true },
  1196443219: { name: 'GPFS', isRemote: true },
  4283649346: { name: 'CIFS', isRemote: true },
  4266872130: { name: 'SMB', isRemote: true },
  20859: { name: 'SMB', isRemote: true },
  1397113167: { name: 'AFS', isRemote: true },
  1799439955: { name: 'AFS', isRemote: true },
  12805120: { name: 'Ceph', isRemote: true },
  16914839: { name: '9p', isRemote: true },
  428016422: { name: 'BeeGFS', isRemote: true },
  1937076805: { name: 'Coda', isRemote: true },
  537068840: { name: 'OrangeFS', isRemote: true },
  2866260714: { name: 'PanFS', isRemote: true },
  1702057286: { name: 'FUSE' },
  19780: { name: 'FAT' },
  538032816: { name: 'exFAT' },
  1936094318: { name: 'NTFS' },
  1397118030: { name: 'NTFS' },
  61791: { name: 'eCryptfs' },
};

/** @param type as Node reports it, signed on some architectures */
export function fileSystem(type: number): FileSystem {
  const magic = type >>> 0;
  return KNOWN[magic] ?? { name: `a file system of type 0x${magic.toString(16)}` };
}
