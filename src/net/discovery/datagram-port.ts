/**
 * The datagram port sends beacons to everybody near and receives them from anybody. Datagrams may be lost, repeated,
 * reordered and forged; a sender hears its own.
 */
export interface DatagramPort {
  /**
   * Starts to receive and resolves with the port that is bound (0 picks a free one, which others can share). Rejects with
   * NetworkError LISTEN_FAILED or PORT_IN_USE. Call it once.
   */
  bind(port: number, onDatagram: (datagram: Datagram) => void): Promise<number>;
  /** Where an announcement goes at present: every target of every usable interface. */
  targets(): readonly DatagramTarget[];
  /** Never throws and never waits; a failure shows in `describe`. */
  send(bytes: Uint8Array, target: DatagramTarget): void;
  /** Reads the list of interfaces again and reopens those that failed. Returns whether the list has changed. */
  refresh(): boolean;
  /** The state of every interface, including those that are left out. */
  describe(): readonly InterfaceState[];
  /** No datagram is delivered afterwards. May be called again. */
  close(): Promise<void>;
}

/** How near a sender is: on this host, on the same link or subnet, or unknown. */
export type Proximity = 'host' | 'link' | 'far';

export interface Datagram {
  readonly bytes: Uint8Array;
  /** Source address in a form that can be dialled; a link-local IPv6 address includes its scope. */
  readonly host: string;
  readonly proximity: Proximity;
}

export interface DatagramTarget {
  readonly interfaceName: string;
  /** The broadcast or multicast address to send to. */
  readonly host: string;
  /** The local address to send from. */
  readonly from: string;
}

export interface InterfaceState {
  readonly interfaceName: string;
  readonly address: string;
  /** Address that beacons are sent to through this interface; null if the interface is left out. */
  readonly target: string | null;
  readonly state: 'opening' | 'ok' | 'failed' | 'skipped';
  /** Why the interface failed or is skipped, or null. */
  readonly reason: string | null;
  readonly datagramsSent: number;
}
