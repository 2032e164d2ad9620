/** Archives: layers that are unpacked, trees that are packed, files that are read and written. The rows are explained in ../errors.ts. */
import { define } from './definition.ts';

export const ARCHIVE_ERRORS = {
  ERR_TSRUN_LAYER_ARCHIVE: define<{ problem: string; entry?: string | undefined; offset: number }>({
    exitCode: 125,
    message: (d) =>
      `the layer's archive is damaged at byte ${d.offset}${d.entry === undefined ? '' : `, entry "${d.entry}"`}: ${d.problem}`,
  }),
  ERR_TSRUN_LAYER_COMPRESSION: define<{ compression: string; problem: string }>({
    exitCode: 125,
    message: (d) => `the layer's ${d.compression} data is damaged: ${d.problem}`,
  }),
  ERR_TSRUN_DECOMPRESSOR: define<{ input: string; program: 'xz' | 'bzip2' }>({
    exitCode: 125,
    message: (d) => `${d.input} is compressed by ${d.program}, and the program ${d.program} cannot be run`,
    hint: (d) => `sudo apt install ${d.program === 'xz' ? 'xz-utils' : 'bzip2'}`,
  }),
  ERR_TSRUN_LAYER_ENTRY: define<{ entry: string; reason: string; errno?: string | undefined }>({
    exitCode: 125,
    message: (d) => `cannot unpack "${d.entry}" of the layer: ${d.reason}`,
    hint: (d) =>
      d.errno === 'ENOSPC' || d.errno === 'EDQUOT'
        ? 'tsrun rmi IMAGE   # frees the layers that no other image needs; df -h and df -i say what is short'
        : undefined,
  }),
  ERR_TSRUN_LAYER_OWNER: define<{ entry: string; kind: 'uid' | 'gid'; id: number; ranges: string }>({
    exitCode: 125,
    message: (d) =>
      `"${d.entry}" of the layer belongs to ${d.kind} ${d.id}, and this user's range in a container is ${d.ranges}`,
    hint: (d) =>
      `give this user more subordinate ids in /etc/sub${d.kind}: sudo usermod --add-sub${d.kind}s FIRST-LAST $USER`,
  }),
  ERR_TSRUN_LAYER_LIMIT: define<{ what: string; allowed: number }>({
    exitCode: 125,
    message: (d) =>
      `the layer was refused: it has more than ${d.allowed} ${d.what}, and may be made to fill the disk`,
    hint: () => 'if it is meant so, raise [limits] in ~/.config/tsrun/config.toml: docs/layers.md',
  }),
  ERR_TSRUN_UNPACK_WORKER: define<{ ending: string; output: string }>({
    exitCode: 125,
    message: (d) =>
      `the process that unpacks layers ended ${d.ending} without a result${d.output === '' ? '' : `; it wrote: ${d.output}`}`,
  }),
  ERR_TSRUN_PACK: define<{ entry: string }>({
    exitCode: 125,
    message: (d) => `cannot put "${d.entry}" into the archive`,
  }),
  ERR_TSRUN_ARCHIVE_WRITE: define<object>({
    exitCode: 125,
    message: () => 'cannot write the archive',
  }),
  ERR_TSRUN_IMAGE_ARCHIVE: define<{ archive: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot read images from ${d.archive}: ${d.problem}`,
  }),
  ERR_TSRUN_INPUT_FILE: define<{ path: string }>({
    exitCode: 125,
    message: (d) => `cannot read ${d.path}`,
  }),
  ERR_TSRUN_OUTPUT_FILE: define<{ path: string }>({
    exitCode: 125,
    message: (d) => `cannot write ${d.path}`,
  }),
  ERR_TSRUN_PACK_WORKER: define<{ ending: string; output: string }>({
    exitCode: 125,
    message: (d) =>
      `the process that writes archives ended ${d.ending} without a result${d.output === '' ? '' : `; it wrote: ${d.output}`}`,
  }),
} as const;
