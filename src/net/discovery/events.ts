import type { Address } from '../transport.ts';

/** A device that was heard within the last 15 seconds. */
export interface DiscoveredPeer {
  readonly deviceKey: string;
  /** Opaque: another one means that the node, or its discovery, was started again. */
  readonly lifeTag: string;
  /** Opaque: another one means that the node has taken a new replica id. */
  readonly replicaTag: string;
  /** Where it can be dialled, nearest first: this host, the same subnet or link, others. At least one. */
  readonly addresses: readonly Address[];
  /** It keeps every collection, as it last said, and so passes on what others wrote in any. */
  readonly relaysAll: boolean;
  /** Its wall clock minus ours when it was last heard, ms. */
  readonly clockOffsetMs: number;
}

export type DiscoveryEvent =
  /** A device that is new, or was silent for 15 seconds. */
  | { readonly kind: 'found'; readonly peer: DiscoveredPeer }
  /** A device that was heard before speaks with another life nonce. */
  | { readonly kind: 'restarted'; readonly peer: DiscoveredPeer }
  /** Its addresses, their order, or whether it relays all have changed. */
  | { readonly kind: 'moved'; readonly peer: DiscoveredPeer }
  /** 15 seconds of silence, or forgotten because the table is full. */
  | { readonly kind: 'lost'; readonly deviceKey: string }
  /**
   * Another running node uses this node's replica id, or its device key, or both (R9): a copied database or disk. Reported
   * once for each life of the other. With the same device key, only if it was alive after this node's start by its own
   * clock: an old beacon of this very device, played again, must not take its identity from it.
   */
  | {
      readonly kind: 'twin';
      readonly deviceKey: string;
      readonly sameReplica: boolean;
      readonly sameDevice: boolean;
      readonly address: Address;
    }
  /** A beacon of another cluster, or of a node whose token differs from this one's; told for each, and proves nothing. */
  | { readonly kind: 'foreign'; readonly address: Address }
  | { readonly kind: 'interfaces-changed' };
