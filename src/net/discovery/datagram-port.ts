/**
 * The datagram port: beacons out to everybody near, beacons in from anybody. Datagrams may be lost, repeated, reordered and
 * forged; a sender hears its own.
 */
export interface DatagramPort {
  /**
   * Starts to receive and resolves with the port that is really bound (0 picks a free one, which others can share). Rejects
   * with NetworkError LISTEN_FAILED or PORT_IN_USE. Called once.
   */
  bind(port: number, onDatagram: (datagram: Datagram) => void): Promise<number>;
  /** Where an announcement goes at present: each way of each interface once. */
  targets(): readonly DatagramTarget[];
  /** Never throws and never waits; what fails is counted in `describe`. */
  send(bytes: Uint8Array, target: DatagramTarget): void;
  /** Reads the list of interfaces again and replaces what has failed. True when the list has changed. */
  refresh(): boolean;
  /** Every interface and what becomes of it, the ones that are left out included. */
  describe(): readonly InterfaceState[];
  /** Nothing is delivered afterwards. May be called again. */
  close(): Promise<void>;
}

/** How near a sender is: on this host, on the same link or subnet, or unknown. */
export type Proximity = 'host' | 'link' | 'far';

export interface Datagram {
  readonly bytes: Uint8Array;
  /** Source address as one can dial it, an IPv6 link-local one with its scope. */
  readonly host: string;
  readonly proximity: Proximity;
}

export interface DatagramTarget {
  readonly interfaceName: string;
  /** Address that is sent to: a broadcast or multicast address. */
  readonly host: string;
  /** Local address that it is sent from. */
  readonly from: string;
}

export interface InterfaceState {
  readonly interfaceName: string;
  readonly address: string;
  /** Address that beacons are sent to through it; null when it is left out. */
  readonly target: string | null;
  readonly state: 'opening' | 'ok' | 'failed' | 'skipped';
  /** Why it failed or is skipped, or null. */
  readonly reason: string | null;
  readonly datagramsSent: number;
}
