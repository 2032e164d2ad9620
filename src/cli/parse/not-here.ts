/** Commands of docker and podman that tsrun has not: what to do instead, or why there is nothing to do. */

const BUILD = 'buildah build -t NAME . && buildah push NAME oci-archive:NAME.tar && tsrun load -i NAME.tar';
const INDEX = 'buildah manifest makes and changes indexes; tsrun copy --all copies them';
const NO_DAEMON = 'there is no daemon: ssh HOST tsrun …';
const NO_PODS =
  'there are no pods: tsrun run --network container:NAME --ipc container:NAME --pid container:NAME …';
const NO_SECRETS = 'there are no secrets: tsrun run -v ./FILE:/run/secrets/FILE:ro …';
const NO_SWARM = 'there is no swarm: each machine has its own containers';
const NO_CHECKPOINT = 'processes are not frozen to files: tsrun pause, or tsrun commit for the files';

const NOT_HERE: Readonly<Record<string, string>> = {
  artifact: 'tsrun copy docker://NAME oci:DIRECTORY   # artifacts are copied as they are',
  'auto-update': 'tsrun pull IMAGE && tsrun run --replace --name NAME …',
  build: BUILD,
  'image build': BUILD,
  buildx: BUILD,
  checkpoint: NO_CHECKPOINT,
  compose: 'tsrun network create, and tsrun run --network … for each service',
  config: NO_SWARM,
  'container checkpoint': NO_CHECKPOINT,
  'container restore': NO_CHECKPOINT,
  context: NO_DAEMON,
  farm: NO_DAEMON,
  'generate kube': 'tsrun generate systemd',
  'image scp': 'tsrun save IMAGE | ssh HOST tsrun load',
  'image sign': 'cosign sign IMAGE@DIGEST',
  kube: NO_PODS,
  machine: 'tsrun runs where Linux does: in the virtual machine that you have',
  'manifest add': INDEX,
  'manifest annotate': INDEX,
  'manifest create': INDEX,
  'manifest push': 'buildah manifest push, or tsrun copy --all FROM docker://IMAGE',
  'manifest rm': INDEX,
  'network update': 'tsrun network rm NETWORK && tsrun network create --dns ADDRESS NETWORK',
  node: NO_SWARM,
  play: NO_PODS,
  plugin: 'there are no plugins',
  pod: NO_PODS,
  quadlet: 'tsrun generate systemd',
  secret: NO_SECRETS,
  service: NO_SWARM,
  stack: NO_SWARM,
  swarm: NO_SWARM,
  'system connection': NO_DAEMON,
  'system migrate': 'nothing is to be migrated: each container keeps what it was made with',
  'system renumber': 'locks have no numbers',
  'system service': NO_DAEMON,
};

/** @param command `build`, `image sign`; undefined for what nobody has */
export const insteadOf = (command: string): string | undefined =>
  Object.hasOwn(NOT_HERE, command) ? NOT_HERE[command] : undefined;
