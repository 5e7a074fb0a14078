/** A process with one discovery, for tests. Prints each event as a line of JSON; ends with its standard input. */
import { createUdpPort, Discovery, deriveBeaconKey } from '../../src/net/discovery/index.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { systemRandom } from '../../src/node/system-random.ts';

const [name = 'node', udpPort = '6000'] = process.argv.slice(2);
const print = (value: object): void => console.log(JSON.stringify(value));

const discovery = new Discovery(
  {
    udpPort: Number(udpPort),
    tcpPort: 5000,
    deviceKey: name,
    replica: name,
    keys: [deriveBeaconKey(Buffer.alloc(32, 4))],
  },
  { port: createUdpPort(), clock: systemClock, random: systemRandom, onEvent: print },
);
await discovery.start();
print({ kind: 'started', interfaces: discovery.describe().interfaces });
process.stdin.on('end', () => void discovery.close()).resume();
