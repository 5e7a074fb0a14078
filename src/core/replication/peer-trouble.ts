/** A node that is there, and that this one still cannot work with. */
export interface PeerTrouble {
  /** `unreached`: it is heard, and connections to it fail. `restless`: they end again and again within seconds. */
  readonly kind: 'unreached' | 'restless';
  /** Human name; null: not known yet. */
  readonly node: string | null;
  /** `host:port`. */
  readonly address: string;
  /** How long connecting has failed, ms; null: connections are made, and end. */
  readonly forMs: number | null;
  /** Why the last attempt failed, or the last connection ended. */
  readonly why: string;
}
