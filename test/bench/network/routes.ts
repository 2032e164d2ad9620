/** From where to where something is measured. */

/** Runs a program where the client is. Returns its standard output. Rejects when it fails. */
export type Client = (program: 'iperf3' | 'exchange' | 'ab', ...words: readonly string[]) => Promise<string>;

export interface Route {
  client: Client;
  /** IPv4; where the client finds the servers */
  address: string;
  ports: Ports;
}

/** Of `iperf3 -s`, `exchange serve` and `exchange http`. */
export interface Ports {
  /** TCP and UDP */
  iperf3: number;
  exchange: number;
  http: number;
}

/**
 * `out`: from the container to the host. `published`: from the host's loopback to a published port; `elsewhere`: by another address of the
 * host. `beside`: from one container to another.
 */
export type RouteName = 'out' | 'published' | 'elsewhere' | 'beside';

/** One way to connect containers, ready to be measured. */
export interface Place extends AsyncDisposable {
  readonly name: string;
  readonly label: string;
  /** It is made for these measures and says nothing about others. */
  readonly only?: readonly string[];
  readonly routes: Partial<Record<RouteName, Route>>;
}
