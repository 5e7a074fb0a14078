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

/** Why a channel closes that got a frame above `frameBytesMax`. */
export const FRAME_TOO_LARGE = 'frame too large';

/** What to do if connections end again and again within seconds, the last of them for this reason. */
export function restlessRemedy(why: string): string {
  return why.includes(FRAME_TOO_LARGE)
    ? 'it sends a document that is larger than Limits.FrameBytesMax of this node: raise that here'
    : 'if small writes arrive and large ones do not, large packets are lost on the way: set the same MTU at both ends, and let ICMP through';
}
