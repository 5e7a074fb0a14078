/**
 * Goal: every address of the system is either used for announcements that reach its subnet, or left out with a reason.
 * Method: lists of interfaces as Linux, Windows and VPNs report them.
 */
import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { directedBroadcast, type InterfacePlanOptions, planInterfaces, proximityOf } from './interfaces.ts';

const OPTIONS: InterfacePlanOptions = { localhostOnly: false, hasNumericScopes: false, interfacesMax: 32 };

function v4(address: string, netmask: string, internal = false): NetworkInterfaceInfo {
  return { family: 'IPv4', address, netmask, internal, mac: '00:00:00:00:00:00', cidr: null };
}

function v6(address: string, scopeid: number, internal = false): NetworkInterfaceInfo {
  return { family: 'IPv6', address, netmask: 'ffff:ffff:ffff:ffff::', internal, scopeid, mac: '', cidr: null };
}

const LISTED = {
  lo: [v4('127.0.0.1', '255.0.0.0', true), v6('::1', 0, true)],
  eth0: [v4('192.168.1.7', '255.255.255.0'), v6('fd00::2', 0), v6('fe80::1', 3)],
  docker0: [v4('172.17.0.1', '255.255.0.0')],
  tun0: [v4('10.8.0.2', '255.255.255.255')],
};

test('each subnet is reached by its own and the limited broadcast address, each link by multicast', () => {
  const targets = planInterfaces(LISTED, OPTIONS).map(({ interfaceName, targets: hosts }) => [interfaceName, ...hosts]);
  assert.deepEqual(targets, [
    ['lo', '127.255.255.255'],
    ['lo'],
    ['eth0', '192.168.1.255', '255.255.255.255'],
    ['eth0'],
    ['eth0', 'ff12::4542:6265:6163%eth0'],
    ['docker0', '172.17.255.255', '255.255.255.255'],
    ['tun0'],
  ]);
});

test('every address that is left out has a reason', () => {
  for (const options of [OPTIONS, { ...OPTIONS, localhostOnly: true }, { ...OPTIONS, interfacesMax: 1 }]) {
    for (const local of planInterfaces(LISTED, options)) {
      assert.equal(local.targets.length === 0, local.reason !== null, JSON.stringify(local));
    }
  }
});

test('LocalhostOnly announces through the loopback interface and nothing else', () => {
  const used = planInterfaces(LISTED, { ...OPTIONS, localhostOnly: true }).filter((one) => one.targets.length > 0);
  assert.deepEqual(
    used.flatMap((one) => one.targets),
    ['127.255.255.255'],
  );
});

test('no more interfaces are used than the limit allows', () => {
  const listed = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`veth${i}`, [v6('fe80::1', i)]]));
  const plan = planInterfaces(listed, OPTIONS);
  assert.equal(plan.length, 300);
  assert.equal(plan.filter((one) => one.targets.length > 0).length, 32);
});

test('on Windows the scope is given by number', () => {
  const plan = planInterfaces({ Ethernet: [v6('fe80::1', 12)] }, { ...OPTIONS, hasNumericScopes: true });
  assert.deepEqual(plan[0]!.targets, ['ff12::4542:6265:6163%12']);
});

test('the broadcast address follows the netmask', () => {
  assert.equal(directedBroadcast('10.1.2.3', '255.0.0.0'), '10.255.255.255');
  assert.equal(directedBroadcast('192.168.1.130', '255.255.255.128'), '192.168.1.255');
  assert.equal(directedBroadcast('192.168.1.2', '255.255.255.252'), '192.168.1.3');
  assert.equal(directedBroadcast('192.168.1.2', '255.255.255.254'), undefined);
  assert.equal(directedBroadcast('192.168.1.2', '255.255.255.255'), undefined);
});

test('a source is near when it is this host, in one of its subnets, or on its link', () => {
  const own = planInterfaces(LISTED, OPTIONS);
  const expected = {
    '127.0.0.1': 'host',
    '192.168.1.7': 'host',
    'fe80::1%eth0': 'host',
    '192.168.1.200': 'link',
    '172.17.9.9': 'link',
    'fe80::2%eth0': 'link',
    '192.168.2.7': 'far',
    'fd00::9': 'far',
  } as const;
  for (const [source, proximity] of Object.entries(expected)) assert.equal(proximityOf(source, own), proximity, source);
});
