/**
 * Goal: the tracker reports what happened between this node and others, in bounded memory, as copies that never change.
 * Method: events as the engine would feed them, on a manual clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../core/config/index.ts';
import { NetworkError } from '../core/errors/index.ts';
import { createManualClock } from '../testing/index.ts';
import { SyncStatusTracker } from './index.ts';

function setUp() {
  const clock = createManualClock({ startMs: 1_000_000 });
  return { clock, tracker: new SyncStatusTracker({ clock }) };
}

test('a new tracker is offline and has seen nothing', () => {
  const { tracker } = setUp();
  assert.deepEqual(tracker.getStatus(), {
    isOnline: false,
    lastSyncTime: null,
    activePeers: [],
    peers: [],
    recentErrors: [],
    totals: { documents: 0, bytes: 0, syncs: 0, errors: 0 },
  });
});

test('the node is online from its first connected peer to its last, and each change is reported once', () => {
  const { tracker } = setUp();
  const changes: boolean[] = [];
  tracker.onChange(() => {
    throw new Error('a bad listener disturbs nobody');
  });
  const off = tracker.onChange((isOnline) => changes.push(isOnline));
  tracker.updatePeer('till-1', { address: '10.0.0.1:5000', isConnected: true });
  tracker.updatePeer('till-1', { isConnected: true });
  tracker.updatePeer('till-2', { isConnected: true });
  tracker.updatePeer('till-1', { isConnected: false });
  assert.deepEqual([tracker.isOnline, changes], [true, [true]]);
  tracker.forgetPeer('till-2');
  assert.deepEqual([tracker.isOnline, changes], [false, [true, false]]);
  off();
  tracker.updatePeer('till-1', { isConnected: true });
  assert.deepEqual(changes, [true, false]);
  assert.equal(tracker.getStatus().activePeers[0]?.address, '10.0.0.1:5000');
});

test('rounds, versions and bytes are counted, per peer and in total', () => {
  const { clock, tracker } = setUp();
  tracker.updatePeer('a', { isConnected: true });
  clock.advance(500);
  tracker.recordPeerSuccess('a');
  tracker.recordPeerSuccess('a');
  tracker.recordPeerFailure('a');
  tracker.recordPeerFailure('nobody knows');
  tracker.recordSync({ documents: 3, bytes: 100 });
  tracker.recordSync({ bytes: 5 });
  const { totals, lastSyncTime, peers } = tracker.getStatus();
  assert.deepEqual(totals, { documents: 3, bytes: 105, syncs: 2, errors: 0 });
  assert.equal(lastSyncTime, 1_000_500);
  assert.deepEqual(peers, [
    {
      nodeId: 'a',
      address: '',
      isConnected: true,
      lastSeen: 1_000_500,
      connectedSince: 1_000_000,
      lastSyncTime: 1_000_500,
      successfulSyncs: 2,
      failedSyncs: 1,
    },
  ]);
});

test('the newest 50 errors are listed, newest last', () => {
  const { tracker } = setUp();
  for (let i = 0; i < 60; i++) {
    const error = new NetworkError('CONNECT_FAILED', `attempt ${i}`);
    tracker.recordError(error.message, 'till-1', error.code);
  }
  const { recentErrors, totals } = tracker.getStatus();
  assert.deepEqual([recentErrors.length, totals.errors], [50, 60]);
  assert.deepEqual(recentErrors.at(-1), {
    timestamp: 1_000_000,
    message: 'attempt 59',
    peerNodeId: 'till-1',
    errorCode: 'NETWORK_ERROR',
  });
  tracker.recordError('alone');
  assert.equal(tracker.getStatus().recentErrors.at(-1)?.peerNodeId, null);
});

test('peers are bounded: the disconnected one unseen for longest is forgotten', () => {
  const { clock, tracker } = setUp();
  tracker.updatePeer('connected', { isConnected: true });
  for (let i = 0; i < LIMITS.peersMax; i++) {
    clock.advance(1);
    tracker.updatePeer(`n${i}`, { isConnected: false });
  }
  const names = new Set(tracker.getStatus().peers.map(({ nodeId }) => nodeId));
  assert.equal(names.size, LIMITS.peersMax);
  assert.deepEqual([names.has('connected'), names.has('n0'), names.has('n1')], [true, false, true]);
});

test('a returned status never changes, and changing it has no effect', () => {
  const { tracker } = setUp();
  tracker.updatePeer('a', { isConnected: true });
  tracker.recordError('one');
  const status = tracker.getStatus();
  (status.peers[0] as { nodeId: string }).nodeId = 'spoilt';
  (status.recentErrors[0] as { message: string }).message = 'spoilt';
  tracker.updatePeer('a', { isConnected: false });
  assert.equal(status.peers[0]?.isConnected, true);
  assert.equal(tracker.getStatus().peers[0]?.nodeId, 'a');
  assert.equal(tracker.getStatus().recentErrors[0]?.message, 'one');
});
