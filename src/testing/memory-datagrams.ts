import type { Clock } from '../core/clock/index.ts';
import type { Datagram, DatagramPort, DatagramTarget } from '../net/discovery/index.ts';

const LATENCY_MS = 1;

/** A local network in memory: every bound port, the sender included, hears a datagram a millisecond after it was sent. */
export interface DatagramNetwork {
  /** Creates a host's port on this network. `host` is the source address that others see. */
  createPort(host: string): MemoryDatagramPort;
  /** Puts a datagram with any source address on the network, as anybody could. */
  inject(bytes: Uint8Array, host: string): void;
  /** Called for each delivery; default: nothing is lost. */
  isLost: (from: string, to: string) => boolean;
}

export interface MemoryDatagramPort extends DatagramPort {
  /** The last hundred datagrams that this port has sent. */
  readonly sent: readonly Uint8Array[];
  /** Makes the next `refresh` report a change. */
  changeInterfaces(): void;
}

const SENT_MAX = 100;

/** Creates a network that delivers datagrams between ports in memory, driven by the given clock. */
export function createDatagramNetwork(clock: Clock): DatagramNetwork {
  const receivers = new Map<MemoryDatagramPort, { host: string; onDatagram: (datagram: Datagram) => void }>();

  const network: DatagramNetwork = {
    isLost: () => false,
    inject(bytes, host) {
      clock.setTimer(LATENCY_MS, () => {
        for (const receiver of [...receivers.values()]) {
          if (network.isLost(host, receiver.host)) continue;
          const proximity = receiver.host === host ? 'host' : 'link';
          receiver.onDatagram({ bytes: Uint8Array.from(bytes), host, proximity });
        }
      });
    },
    createPort(host) {
      const target: DatagramTarget = { interfaceName: 'memory', host: 'all', from: host };
      const sent: Uint8Array[] = [];
      let isChanged = false;
      const port: MemoryDatagramPort = {
        sent,
        bind: (number, onDatagram) => {
          receivers.set(port, { host, onDatagram });
          return Promise.resolve(number === 0 ? 6000 : number);
        },
        targets: () => [target],
        send(bytes) {
          sent.push(bytes);
          if (sent.length > SENT_MAX) sent.shift();
          network.inject(bytes, host);
        },
        refresh() {
          const was = isChanged;
          isChanged = false;
          return was;
        },
        changeInterfaces() {
          isChanged = true;
        },
        describe: () => [
          {
            interfaceName: 'memory',
            address: host,
            target: 'all',
            state: 'ok',
            reason: null,
            datagramsSent: sent.length,
          },
        ],
        close() {
          receivers.delete(port);
          return Promise.resolve();
        },
      };
      return port;
    },
  };
  return network;
}
