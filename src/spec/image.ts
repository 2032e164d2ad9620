/** The documents of the OCI image specification, as far as tsrun reads them. Pure types; parsing and checking is in the files beside. */

/** `sha256:<64 hex>` or `sha512:<128 hex>`; only made by parseDigest and the hashing streams. */
export type Digest = string & { readonly __brand: 'Digest' };
/** Digest of an uncompressed layer archive, sha256 (image-spec config.md). */
export type DiffId = Digest & { readonly __diffId: true };
/** Digest that names a layer together with all layers below it (image-spec config.md, "Layer ChainID"). */
export type ChainId = Digest & { readonly __chainId: true };

export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
  'os.version'?: string;
}

/** image-spec descriptor.md */
export interface Descriptor {
  mediaType: string;
  digest: Digest;
  /** bytes */
  size: number;
  urls?: string[];
  annotations?: Record<string, string>;
  platform?: Platform;
  artifactType?: string;
}

/** image-spec manifest.md; Docker's v2 schema 2 has the same shape */
export interface Manifest {
  schemaVersion: 2;
  mediaType?: string;
  config: Descriptor;
  layers: Descriptor[];
  annotations?: Record<string, string>;
}

/** image-spec image-index.md; Docker's manifest list has the same shape */
export interface Index {
  schemaVersion: 2;
  mediaType?: string;
  manifests: Descriptor[];
  annotations?: Record<string, string>;
}

/** Times in nanoseconds, as Docker writes them. */
export interface Healthcheck {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

/** image-spec config.md: `config`, with Docker's additions */
export interface ImageRunConfig {
  User?: string;
  ExposedPorts?: Record<string, object>;
  Env?: string[];
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  Volumes?: Record<string, object> | null;
  WorkingDir?: string;
  Labels?: Record<string, string> | null;
  StopSignal?: string;
  Healthcheck?: Healthcheck;
  Shell?: string[];
  OnBuild?: string[] | null;
}

export interface HistoryEntry {
  created?: string;
  author?: string;
  created_by?: string;
  comment?: string;
  empty_layer?: boolean;
}

/** image-spec config.md */
export interface ImageConfig {
  created?: string;
  author?: string;
  architecture: string;
  os: string;
  variant?: string;
  config?: ImageRunConfig;
  rootfs: { type: 'layers'; diff_ids: DiffId[] };
  history?: HistoryEntry[];
}
