/** skopeo's `dir:`: a directory with manifest.json, which is the manifest itself, and blobs named by their digits. */
import { digestHex } from '../../spec/digest.ts';
import { sha256 } from '../../store/hash.ts';
import { archiveError, type FileSet } from './file-set.ts';
import { fileSource, type PackagedImage } from './packaged-image.ts';

export function plainImage(files: FileSet): PackagedImage {
  const bytes = files.read('manifest.json');
  const root = sha256(bytes);
  const source = fileSource({
    files,
    document: (digest = root) => {
      if (digest === root) return { bytes, contentType: undefined, digest };
      // one of the manifests of an index
      const name = `${digestHex(digest)}.manifest.json`;
      if (files.size(name) === undefined) throw archiveError(files.label, `manifest ${digest} is missing`);
      return { bytes: files.read(name), contentType: undefined, digest };
    },
    fileOf: ({ digest }) => (files.size(digestHex(digest)) === undefined ? undefined : digestHex(digest)),
  });
  return { names: [], label: files.label, source, digest: root };
}
