import type { RemoteVersion } from '../../core/replication/index.ts';
import type { VersionsMessage } from '../../net/messages/index.ts';
import type { SessionContext } from '../session-context.ts';
import type { PageSize } from './page-size.ts';
import { SendWindow } from './send-window.ts';

/** Versions on their way to the peer: cut into messages, and counted until the peer acknowledges them as durable. */
export class VersionBatches {
  readonly #context: SessionContext;
  readonly #pages: PageSize;
  readonly #unconfirmed: { readonly batch: number; readonly bytes: number; readonly sentMs: number }[] = [];
  readonly #window = new SendWindow();
  #unconfirmedBytes = 0;
  #newest = 0;

  constructor(context: SessionContext, pages: PageSize) {
    this.#context = context;
    this.#pages = pages;
  }

  /** How many bytes may be under way, as far as the network and the peer keep up. */
  get windowBytes(): number {
    return this.#window.bytes;
  }

  /** Bytes under way. Credit is what they leave of `sessionCreditBytes` and of the window. */
  get unconfirmedBytes(): number {
    return this.#unconfirmedBytes;
  }

  /** Messages under way. */
  get unconfirmed(): number {
    return this.#unconfirmed.length;
  }

  /** `isGroup`: the versions become visible together at the peer. `reached`: how far the stream has come with the last one. */
  send(versions: readonly RemoteVersion[], { isGroup = false, reached }: SendOptions): void {
    for (const { part, bytes, isLast } of this.#pages.messages(versions)) {
      this.#unconfirmed.push({ batch: ++this.#newest, bytes, sentMs: this.#context.nowMs });
      this.#unconfirmedBytes += bytes;
      const message: VersionsMessage = {
        kind: 'versions',
        batch: this.#newest,
        versions: part,
        more: isGroup && !isLast,
        ...(reached !== undefined && isLast ? { reached } : {}),
      };
      this.#context.sendDurable(message);
    }
    if (versions.length > 0) this.#context.event({ kind: 'sent', versions: versions.length });
  }

  /** Everything up to this batch is durable at the peer. */
  confirmed(batch: number): void {
    const { nowMs, deps } = this.#context;
    while (this.#unconfirmed.length > 0 && this.#unconfirmed[0]!.batch <= batch) {
      const { bytes, sentMs } = this.#unconfirmed.shift()!;
      this.#unconfirmedBytes -= bytes;
      this.#window.confirmed(bytes, nowMs - sentMs, deps.limits.sessionCreditBytes);
    }
  }
}

export interface SendOptions {
  readonly isGroup?: boolean;
  readonly reached?: number;
}
