import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { isEntglDbError } from '../../../core/errors/index.ts';
import { COMPARE_TOKENS, refusalTexts } from '../../../diagnostics/index.ts';
import type { Address } from '../../../net/index.ts';
import type { DialRefusal } from '../../../net/tcp/index.ts';
import { isLoopback, type LoadedConfig, readTokens } from '../../config/index.ts';
import type { PeerStatus } from '../../network/index.ts';
import type { NodeStatus } from '../../node-api.ts';
import { awaitedClock } from '../../system-clock.ts';
import { formatAddress } from '../format.ts';
import type { NodeTarget } from '../node-target.ts';
import { tokenFingerprint } from './check-configuration.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** A node that accepts connections completes the handshake in less than this, ms. */
const HANDSHAKE_MS_MAX = 1500;

/** Checks the ports, while no node runs. */
export async function checkPorts({ values }: LoadedConfig): Promise<Finding[]> {
  const host = values['Network.LocalhostOnly'] ? '127.0.0.1' : '0.0.0.0';
  const ports = [await checkTcp('sync port', host, values['Network.TcpPort'], '--tcp-port')];
  if (values['Network.EnableDiscovery']) ports.push(await checkUdp(host, values['Network.UdpPort']));
  if (values['Http.Enabled']) {
    ports.push(await checkTcp('HTTP port', values['Http.Host'], values['Http.Port'], '--http-port'));
  }
  return ports;
}

/** Checks whether this node can see others at all, given its interfaces and settings. */
export function checkReach(
  { values }: LoadedConfig,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): Finding[] {
  const addresses = Object.entries(interfaces).flatMap(([name, list]) => outsideAddresses(list ?? [], name));
  const findings = [
    addresses.length === 0
      ? failed('network interfaces', 'none but loopback; connect the machine to the network')
      : ok('network interfaces', addresses.join(', ')),
  ];
  if (values['Network.LocalhostOnly']) {
    findings.push(warning('reach', 'Network.LocalhostOnly is on: no other machine can reach this node'));
  }
  const known = values['Network.KnownPeers'].length;
  if (!values['Network.EnableDiscovery'] && known === 0) {
    findings.push(failed('reach', 'discovery is off and Network.KnownPeers is empty: this node can find nobody'));
  }
  return findings;
}

/** An interface with IPv6 alone, even only a link-local address, is enough for nodes to find each other. */
function outsideAddresses(list: readonly NetworkInterfaceInfo[], name: string): string[] {
  const outside = list.filter(({ internal }) => !internal);
  const v4 = outside.filter(({ family }) => family === 'IPv4');
  return (v4.length > 0 ? v4 : outside).map(({ address }) => `${name} ${address}`);
}

/** Findings from what the running node reports about itself and its peers. */
export async function checkRunning(target: NodeTarget, config: LoadedConfig, nowMs: number): Promise<Finding[]> {
  const [status, report, peers] = [await target.status(), await target.health(), await target.peers()];
  const health = report.isHealthy
    ? ok('health', 'the health endpoint answers: healthy')
    : failed('health', `not healthy: ${report.errors.join('; ') || 'see `entgldb health`'}`);
  const queue = ok('offline queue', `${status.queuedOperations} operations waiting`);
  const notices = status.notices.map((notice) => warning('node', notice));
  // These are not notices, since it may be another cluster on purpose. But a user of doctor may ask why a node is missing.
  const onlyHeard = status.isOnline ? status.refusals.filter(({ isOnlyHeard }) => isOnlyHeard) : [];
  return [
    ok('node', `${status.nodeId} is running, process ${status.pid}`),
    ...(await checkRunningToken(status, config)),
    health,
    queue,
    ...notices,
    ...refusalTexts(onlyHeard, nowMs).map((text) => warning('node', text)),
    // Why it has no peers is among the notices.
    ...(status.isNetworkPaused ? [] : checkPeers(peers)),
    ...checkNames(status.nodeId, peers),
  ];
}

/** The running node's token may differ from the settings: they were changed since, or a flag of `start` overrode them. */
async function checkRunningToken({ tokenFingerprint: running }: NodeStatus, config: LoadedConfig): Promise<Finding[]> {
  const [set] = await clusterTokens(config);
  const named = set === undefined ? null : await tokenFingerprint(set);
  if (running === named) return [];
  if (running === null) return [warning('cluster token', 'the running node has none; restart it')];
  if (named === null) return [ok('cluster token', `the running node has one, fingerprint ${running}`)];
  return [
    warning('cluster token', `the running node has another, fingerprint ${running}; send it SIGHUP, or restart it`),
  ];
}

/** The cluster tokens; empty if they cannot be read, which is a finding of its own. */
export function clusterTokens(config: LoadedConfig): Promise<readonly string[]> {
  return readTokens(config).then(
    ({ cluster }) => cluster,
    () => [],
  );
}

function checkPeers(peers: readonly PeerStatus[]): Finding[] {
  if (peers.length === 0) {
    return [
      warning(
        'peers',
        'none found. On the other node: is it running, with the same token and the same UDP port, in the same network? Do the firewalls of both let TCP and UDP through? Networks that hide their devices from each other (guest Wi-Fi, VPN) need Network.KnownPeers',
      ),
    ];
  }
  return peers.map((peer) => {
    const name = `${peer.nodeId ?? 'unknown node'} at ${formatAddress(peer.address)}`;
    if (peer.state === 'connected') return ok('peer', `${name} is connected`);
    const why = peer.lastError ?? 'no answer yet';
    const remedy = `\`entgldb doctor ${formatAddress(peer.address)}\` says what is in the way`;
    return failed('peer', `${name} is not connected: ${why}; ${remedy}`);
  });
}

/** Lists, logs and commands tell nodes apart by these names. */
function checkNames(own: string, peers: readonly PeerStatus[]): Finding[] {
  const connected = peers.filter(({ state, nodeId }) => state === 'connected' && nodeId !== null);
  const places = [
    { name: own, where: 'this one' },
    ...connected.map(({ nodeId, address }) => ({ name: nodeId!, where: `the one at ${formatAddress(address)}` })),
  ];
  return [...Map.groupBy(places, ({ name }) => name)]
    .filter(([, same]) => same.length > 1)
    .map(([name, same]) => {
      const nodes = same.map(({ where }) => where).join(', ');
      return warning('node names', `${same.length} nodes are named ${name}: ${nodes}; give each a NodeId of its own`);
    });
}

/**
 * Checks whether a node accepts connections at an address, and whether it has one of these tokens; without tokens, only the former.
 * This answers "why do they not see each other?". The check then hangs up, which the other node logs.
 */
export async function checkAddress(address: Address, tokens: readonly string[], timeoutMs: number): Promise<Finding> {
  const socket = connect({ host: address.host, port: address.port });
  const where = formatAddress(address);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
    return tokens.length === 0 ? ok('address', `${where} ${ACCEPTS}`) : await checkNodeAt(address, where, tokens);
  } catch (error) {
    return failed('address', `${where}: ${reachText((error as NodeJS.ErrnoException).code)}`);
  } finally {
    socket.destroy();
  }
}

const ACCEPTS = 'accepts connections; if its node is no peer, compare the tokens of both';

async function checkNodeAt(address: Address, where: string, tokens: readonly string[]): Promise<Finding> {
  const [current, previous] = tokens;
  const refusal = await dialRefusal(address, current!);
  if (refusal === null) return ok('address', `${where} is a node with the same cluster token as this one`);
  if (refusal === 'no-entgldb')
    return failed('address', `${where} answers, but is no EntglDb node; is this its TcpPort?`);
  if (refusal !== 'other-token') return ok('address', `${where} ${ACCEPTS}`);
  if (previous !== undefined && (await dialRefusal(address, previous)) === null)
    return warning('address', `${where} is a node that still holds the cluster token before this one`);
  return failed('address', `${where} is a node with another cluster token; ${COMPARE_TOKENS}`);
}

/** Null if it is a node with this token; undefined if that cannot be told. */
async function dialRefusal(address: Address, token: string): Promise<DialRefusal | null | undefined> {
  const { deriveClusterKey, dialTls } = await import('../../../net/tcp/index.ts');
  const key = await deriveClusterKey(token);
  try {
    const socket = await dialTls(address, key, { clock: awaitedClock, msMax: HANDSHAKE_MS_MAX, signal: undefined });
    socket.destroy();
    return null;
  } catch (error) {
    return isEntglDbError(error) ? (error.details as { refusal?: DialRefusal }).refusal : undefined;
  }
}

function reachText(code: string | undefined): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'the machine answers, but nothing listens on that port; is the node running, and is this its TcpPort?';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no way to that machine; is it switched on and in the same network?';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'that name means nothing here; use the IP address';
    default:
      return 'no answer; a firewall on the way or on that machine drops the connection, or it is switched off';
  }
}

async function checkTcp(point: string, host: string, port: number, flag: string): Promise<Finding> {
  if (port === 0) return ok(point, 'a free one is picked at each start');
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    const firewall = isLoopback(host) ? '' : '; let it through the firewall';
    return ok(point, `TCP ${port} is free${firewall}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return failed(point, `cannot listen on TCP ${host}:${port} (${code}); stop the other program or use ${flag}`);
  } finally {
    server.close();
  }
}

async function checkUdp(host: string, port: number): Promise<Finding> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    socket.bind(port, host);
    await once(socket, 'listening');
    return ok('discovery port', `UDP ${port} can be used; let it through the firewall`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return failed(
      'discovery port',
      `cannot use UDP ${host}:${port} (${code}); stop the other program or use --udp-port`,
    );
  } finally {
    socket.close();
  }
}
