/**
 * The transport port: secure, ordered, full-duplex channels of whole frames between members of one cluster.
 *
 * - A channel that reaches `onChannel` or resolves `dial` is already authenticated: both ends hold the cluster key and
 *   have proven their device keys over this very channel.
 * - Frames arrive whole, in order, unchanged, or the channel closes. A frame above `frameBytesMax` closes it.
 * - `send` returns false when the peer is slow; then wait for `onDrain`. You may go on sending, but beyond
 *   `channelBufferBytesMax` buffered bytes the channel is closed with reason `slow`.
 * - Frames that arrive before the owner has set `onFrame` wait for it.
 * - After `close` nothing is delivered any more, but frames sent before it still go out. `onClose` is called exactly once,
 *   whatever the reason, and never from within `close` or `send`. Reasons besides the owner's own: `ended` (by the other
 *   end), `slow`, `frame too large`, `frame invalid`, and `failed: CODE` for the network.
 */
export interface Transport {
  /**
   * Starts to accept, and resolves with a listener whose `address` names the port that is bound (0 picks a free one). Rejects
   * with NetworkError (PORT_IN_USE, LISTEN_FAILED). Channels outlive their listener.
   */
  listen(options: ListenOptions): Promise<Listener>;
  /**
   * Rejects with NetworkError (CONNECT_FAILED, HANDSHAKE_FAILED), TimeoutError, or SyncError: SELF_CONNECTION if the address
   * leads back to this node, IDENTITY_FORKED if it leads to a copy of it. A signal aborts the attempt, which then rejects with
   * the signal's reason.
   */
  dial(address: Address, options?: DialOptions): Promise<Channel>;
}

export interface DialOptions {
  readonly signal?: AbortSignal;
  /** Called when the connection is made and the handshake begins. A transport that cannot tell never calls it. */
  readonly onAnswer?: () => void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly onChannel: (channel: Channel) => void;
}

export interface Listener {
  readonly address: Address;
  /** False once it was closed or its port was lost. */
  readonly isListening: boolean;
  close(): Promise<void>;
}

export interface Channel {
  /** The peer's device key, a stable text. Its byte order decides which of two simultaneous connections stays. */
  readonly peerKey: string;
  readonly ownKey: string;
  readonly remote: Address;
  /** True on the end that dialled. */
  readonly dialled: boolean;
  /** Bytes in frames that went over the wire so far, after compression. */
  readonly bytesSent: number;
  /** The same for the other direction; the part of a frame that has arrived counts, which shows that the peer is there. */
  readonly bytesReceived: number;
  send(frame: Uint8Array): boolean;
  close(reason?: string): void;
  /** Set once by the owner before it first yields to the event loop. */
  onFrame: (frame: Uint8Array) => void;
  onDrain: () => void;
  onClose: (reason: string) => void;
}
