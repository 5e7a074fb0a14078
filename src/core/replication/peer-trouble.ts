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

/** Why a connection closes that the other node ends on purpose. */
export const PEER_SAID_GOODBYE = 'the peer said goodbye';

/** Why a connection closes in which this node cannot do its part; what failed follows. */
export const OWN_FAILURE = 'this node cannot go on';

/** What to do if connections end again and again within seconds, the last of them for this reason. */
export function restlessRemedy(why: string): string {
  if (why.includes(FRAME_TOO_LARGE))
    return 'it sends a document that is larger than Limits.FrameBytesMax of this node: raise that here';
  if (why.includes(OWN_FAILURE)) return 'the connections are good again when that is mended';
  return why.includes(PEER_SAID_GOODBYE)
    ? 'that node ends them itself: `entgldb status` and the log there say why'
    : 'if small writes arrive and large ones do not, large packets are lost on the way: set the same MTU at both ends, and let ICMP through';
}
