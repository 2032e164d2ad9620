/** An image in a layout, archive or directory, whatever its format. */
import type { Descriptor, Digest } from '../../spec/image.ts';
import type { ImageSource } from '../pull/image-source.ts';
import { archiveError, type FileSet } from './file-set.ts';

export interface PackagedImage {
  /** Full references, as far as it has names; '' is never among them. */
  names: string[];
  /** What messages call it when it has no name. */
  label: string;
  source: ImageSource;
  /** Of its index or manifest. */
  digest: Digest;
}

interface SourceParts {
  files: FileSet;
  /** Index or manifest by digest; by default the root. */
  document(digest: Digest | undefined): {
    bytes: Uint8Array;
    contentType: string | undefined;
    digest: Digest;
  };
  /** The file that holds a blob; undefined when there is none. */
  fileOf(descriptor: Descriptor): string | undefined;
}

/** A source over files: blobs are appended where the store's partial blob ends. */
export function fileSource({ files, document, fileOf }: SourceParts): ImageSource {
  return {
    parallel: 1,
    document: async (wanted) => {
      const { bytes, contentType, digest } = document(wanted);
      return { bytes, contentType, claimedDigest: digest };
    },
    fill: async (descriptor, partial, { onProgress, signal }) => {
      const name = fileOf(descriptor);
      if (name === undefined) throw archiveError(files.label, `blob ${descriptor.digest} is missing`);
      for await (const chunk of files.stream(name, partial.received)) {
        signal.throwIfAborted();
        partial.append(chunk);
        onProgress(partial.received);
      }
    },
  };
}
