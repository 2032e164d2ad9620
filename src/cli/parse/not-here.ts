/** Commands of docker and podman that tsrun has not: what to do instead, or why there is nothing to do. */

const BUILD = 'buildah build -t NAME . && buildah push NAME oci-archive:NAME.tar && tsrun load -i NAME.tar';
const INDEX = 'buildah manifest makes and changes indexes; tsrun copy --all copies them';
const NO_DAEMON = 'there is no daemon: ssh HOST tsrun …';

const NOT_HERE: Readonly<Record<string, string>> = {
  build: BUILD,
  'image build': BUILD,
  buildx: BUILD,
  'image scp': 'tsrun save IMAGE | ssh HOST tsrun load',
  'image sign': 'cosign sign IMAGE@DIGEST',
  'manifest add': INDEX,
  'manifest annotate': INDEX,
  'manifest create': INDEX,
  'manifest push': 'buildah manifest push, or tsrun copy --all FROM docker://IMAGE',
  'manifest rm': INDEX,
  'system connection': NO_DAEMON,
  'system migrate': 'nothing is to be migrated: each container keeps what it was made with',
  'system renumber': 'locks have no numbers',
  'system service': NO_DAEMON,
};

/** @param command `build`, `image sign`; undefined for what nobody has */
export const insteadOf = (command: string): string | undefined =>
  Object.hasOwn(NOT_HERE, command) ? NOT_HERE[command] : undefined;
