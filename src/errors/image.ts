/** Images: their names, their documents, their presence. The rows are explained in ../errors.ts. */
import { define } from './definition.ts';

export const IMAGE_ERRORS = {
  ERR_TSRUN_REFERENCE: define<{ text: string; problem: string; suggestion?: string | undefined }>({
    exitCode: 125,
    message: (d) => `"${d.text}" is not an image name: ${d.problem}`,
    hint: (d) => (d.suggestion === undefined ? undefined : `write ${d.suggestion}`),
  }),
  ERR_TSRUN_IMAGE_AMBIGUOUS: define<{ name: string; candidates: string[] }>({
    exitCode: 125,
    message: (d) => `"${d.name}" names several images of the store: ${d.candidates.join(', ')}`,
    hint: (d) => `write one of them in full, such as ${d.candidates[0] ?? d.name}`,
  }),
  ERR_TSRUN_IMAGE_NOT_LOCAL: define<{ reference: string }>({
    exitCode: 125,
    message: (d) => `image ${d.reference} is not in the store`,
    hint: (d) => `tsrun pull ${d.reference}`,
  }),
  ERR_TSRUN_IMAGE_IN_USE: define<{ reference: string; containers: string[] }>({
    exitCode: 125,
    message: (d) => `image ${d.reference} is used by container ${d.containers.join(', ')}`,
    hint: (d) => `tsrun rm ${d.containers.join(' ')}`,
  }),
  ERR_TSRUN_IMAGE_MOUNTED: define<{ reference: string }>({
    exitCode: 125,
    message: (d) => `image ${d.reference} is mounted`,
    hint: (d) => `tsrun image unmount ${d.reference}   # in the tsrun unshare that mounted it`,
  }),
  ERR_TSRUN_TAG_UNKNOWN: define<{ repository: string; wanted: string; tags: string[] }>({
    exitCode: 125,
    message: (d) => `${d.repository} has no ${d.wanted}`,
    hint: (d) => (d.tags.length === 0 ? undefined : `tags that exist: ${d.tags.join(', ')}`),
  }),
  ERR_TSRUN_DOCUMENT: define<{ what: string; problem: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => `${d.what} is not valid: ${d.problem}`,
    hint: (d) => d.hint,
  }),
  ERR_TSRUN_SCHEMA1: define<{ what: string }>({
    exitCode: 125,
    message: (d) => `${d.what} is in Docker's schema 1 format, which no current engine reads`,
    hint: () => 'push the image again with a current docker, podman or skopeo, which write schema 2',
  }),
  ERR_TSRUN_MEDIA_TYPE: define<{ what: string; mediaType: string; expected: string }>({
    exitCode: 125,
    message: (d) => `${d.what} has media type "${d.mediaType}", where ${d.expected} is needed`,
    hint: (d) =>
      /\+encrypted$/.test(d.mediaType)
        ? 'it is encrypted: skopeo copy --decryption-key KEY docker://IMAGE oci:LAYOUT && tsrun pull oci:LAYOUT'
        : / is an artifact/.test(d.what)
          ? 'tsrun copy docker://NAME oci:DIRECTORY   # as it is'
          : undefined,
  }),
  ERR_TSRUN_PLATFORM: define<{ reference: string; wanted: string; available: string[] }>({
    exitCode: 125,
    message: (d) =>
      `${d.reference} has no image for ${d.wanted}; it has ${d.available.length === 0 ? 'none at all' : d.available.join(', ')}`,
    hint: (d) => (d.available[0] === undefined ? undefined : `--platform ${d.available[0]}`),
  }),
  ERR_TSRUN_MISMATCH: define<{
    what: string;
    property: 'digest' | 'size' | 'DiffID';
    expected: string;
    got: string;
  }>({
    exitCode: 125,
    message: (d) => `${d.what} has the wrong ${d.property}: expected ${d.expected}, got ${d.got}`,
  }),
  ERR_TSRUN_POLICY: define<{ file: string; problem: string }>({
    exitCode: 125,
    message: (d) => `the policy ${d.file} is wrong: ${d.problem}`,
    hint: () => 'man containers-policy.json',
  }),
  ERR_TSRUN_POLICY_REFUSED: define<{ image: string; file: string; scope: string; problem: string }>({
    exitCode: 125,
    message: (d) => `${d.image} may not be used, says ${d.file} of ${d.scope}: ${d.problem}`,
    hint: (d) => `less ${d.file}   # docs/policy.md explains it`,
  }),
  ERR_TSRUN_SHORT_NAME: define<{ name: string; strict?: boolean }>({
    exitCode: 125,
    message: (d) =>
      `"${d.name}" names no registry, and ${d.strict === true ? '--strict-names wants one' : 'registries.conf has no registry to look for it in'}`,
    hint: (d) => `write it in full, such as docker.io/${/\//.test(d.name) ? '' : 'library/'}${d.name}`,
  }),
} as const;
