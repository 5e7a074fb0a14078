// Goal: what the rules and ADR 0002 call sound survives directed attacks, and what they rejected is still refuted. Method:
// random schedules under attack, judged by the true ancestors of every value. Refuted variants replay a known seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCounts } from './attack-options.ts';
import { AttackReplica } from './attack-replica.ts';
import { attackRound } from './attack-round.ts';
import { attack } from './attack-world.ts';
import { REFUTED, RESIDUES, SOUND, searchAttack } from './attacks.ts';
import { EarlySession } from './early-session.ts';
import { SlowSession } from './slow-session.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

for (const { name, options } of SOUND) {
  test(`sound: ${name}`, () => {
    const found = searchAttack(options, 0, 1500 * SCALE);
    assert.equal(found, null, `seed ${found?.seed}: ${found?.harm.join(', ')}`);
  });
}

for (const { name, options, seed, steps = 60, insteadOf } of REFUTED) {
  test(`refuted: ${name}`, () => {
    assert.notDeepEqual(attack(seed, steps, options).harm, [], `seed ${seed} with ${steps} steps did no harm`);
    if (insteadOf) assert.deepEqual(attack(seed, steps, insteadOf).harm, [], 'the rule itself did harm');
  });
}

for (const { name, options, harmedPerThousand } of RESIDUES) {
  test(`no worse than measured: ${name}`, () => {
    const count = 2000 * SCALE;
    let harmed = 0;
    for (let seed = 0; seed < count; seed++) harmed += attack(seed, 60, options).harm.length > 0 ? 1 : 0;
    assert.ok(
      (harmed / count) * 1000 <= harmedPerThousand * 1.3,
      `${harmed} of ${count} schedules from seed 0 were harmed`,
    );
  });
}

test('the schedules of ADR 0002 reach its cases: purges, writes and late rows between beginning and claim', () => {
  const options = SOUND.find(({ name }) => name.startsWith('live set in several'))!.options;
  const total = { completed: 0, dropped: 0, purgedMeanwhile: 0, learnedMeanwhile: 0, askedAgain: 0 };
  for (let seed = 0; seed < 1500; seed++) {
    const { early } = attack(seed, 80, options).counts;
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += early[name];
  }
  for (const [name, count] of Object.entries(total)) assert.ok(count > 0, `${name} never happened`);
});

test('the schedules of ADR 0015 reach its case: versions dropped ahead of their claim', () => {
  const options = SOUND.find(({ name }) => name.includes('ahead of the claim'))!.options;
  let sliced = 0;
  for (let seed = 0; seed < 1500; seed++) sliced += attack(seed, 80, options).counts.early.sliced;
  assert.ok(sliced > 100, `only ${sliced} versions went ahead`);
});

test('the schedules of cut streams reach their case: versions that need not be sent again', () => {
  const options = SOUND.find(({ name }) => name.startsWith('cut streams'))!.options;
  let resumed = 0;
  for (let seed = 0; seed < 300; seed++) resumed += attack(seed, 80, options).counts.resumed;
  assert.ok(resumed > 100, `only ${resumed} versions were passed over`);
});

test('a receiver that compares only when the description arrives keeps what another session brings after it', () => {
  const outcomes = (['snapshot', 'snapshotOldReceiver'] as const).map((slow) => {
    const options = { slow, window: 2 };
    const counts = createCounts();
    const names = { replicas: 0, processes: 0, values: 0 };
    const [sender, receiver, third] = [0, 1, 2].map(() => new AttackReplica(options, names)) as [
      AttackReplica,
      AttackReplica,
      AttackReplica,
    ];
    const document = third.write('a', false);
    attackRound(third, sender, Number.POSITIVE_INFINITY, options, counts);
    sender.write('a', true);
    sender.purge();
    const session = new SlowSession(sender, receiver, options, counts);
    session.step();
    receiver.apply(document);
    while (!session.step());
    return receiver.values('a').length;
  });
  assert.deepEqual(outcomes, [0, 1]);
});

test('a cut stream may resume only up to what its sender knew at its start: a version can arrive behind a page already sent', () => {
  const outcomes = (['capped', 'cappedLate', 'naive'] as const).map((cursors) => {
    const options = { cursors };
    const counts = createCounts();
    const names = { replicas: 0, processes: 0, values: 0 };
    const [author, sender, receiver] = [0, 1, 2].map(() => new AttackReplica(options, names)) as [
      AttackReplica,
      AttackReplica,
      AttackReplica,
    ];
    const [, second, third] = ['a', 'b', 'c'].map((key) => author.write(key, false));
    for (const version of [second!, third!]) sender.apply(version);
    const open = () => new EarlySession(sender, receiver, {}, counts, () => 0, ['a', 'b', 'c']);
    const cut = open();
    cut.step();
    attackRound(author, sender, Number.POSITIVE_INFINITY, options, counts);
    cut.step();
    const next = open();
    while (!next.step());
    return receiver.values('a').length;
  });
  assert.deepEqual(outcomes, [1, 0, 0]);
});

test('a tombstone purged between beginning and claim is dropped only if all that it replaced is known', () => {
  const outcomes = [{}, { dropsNeededTombstones: true }].map((early) => {
    const options = { early };
    const counts = createCounts();
    const names = { replicas: 0, processes: 0, values: 0 };
    const [author, receiver, sender] = [0, 1, 2].map(() => new AttackReplica(options, names)) as [
      AttackReplica,
      AttackReplica,
      AttackReplica,
    ];
    const meet = (from: AttackReplica, to: AttackReplica) =>
      attackRound(from, to, Number.POSITIVE_INFINITY, options, counts);
    const document = author.write('a', false);
    receiver.apply(document);
    receiver.write('a', true);
    meet(receiver, sender);
    sender.write('b', false);
    sender.write('b', true);
    sender.purge();
    const session = new EarlySession(sender, receiver, early, counts, () => 0, ['a', 'b']);
    session.step();
    meet(author, sender);
    sender.purge();
    assert.equal(sender.live('a').length, 0, 'the sender has learned all that the tombstone replaced, and purged it');
    while (!session.step());
    receiver.apply(document);
    meet(sender, receiver);
    return receiver.values('a').length;
  });
  assert.deepEqual(outcomes, [0, 1]);
});

test('dropping a version ahead of its claim without knowing its whole context lets what it replaced come back', () => {
  const outcomes = (['known', 'all'] as const).map((slices) => {
    const early = { slices, claims: 1 };
    const options = { early };
    const counts = createCounts();
    const names = { replicas: 0, processes: 0, values: 0 };
    const [author, receiver, sender] = [0, 1, 2].map(() => new AttackReplica(options, names)) as [
      AttackReplica,
      AttackReplica,
      AttackReplica,
    ];
    const replaced = author.write('a', false);
    receiver.apply(author.write('a', false));
    attackRound(author, sender, Number.POSITIVE_INFINITY, options, counts);
    sender.write('a', true);
    sender.purge();
    const session = new EarlySession(sender, receiver, { ...early, isQueued: true }, counts, (n) => n - 1, ['a']);
    while (receiver.purged.size === 0 && receiver.known.size === 0 && receiver.live('a').length > 0) session.step();
    receiver.apply(replaced);
    return receiver.values('a').filter(({ value }) => value === replaced.value).length;
  });
  assert.deepEqual(outcomes, [0, 1]);
});

test('a purge loses the write of a twin whose dot the hub knows from the other twin, unless checks tell the twins apart', () => {
  const survivors = [{}, { chain: true, rewrite: true }].map((candidate) => {
    const options = { detect: true, ...candidate };
    const counts = createCounts();
    const names = { replicas: 0, processes: 0, values: 0 };
    const hub = new AttackReplica(options, names);
    const till = new AttackReplica(options, names);
    till.write('setup', false);
    attackRound(till, hub, Number.POSITIVE_INFINITY, options, counts);
    const twin = till.copy(false);
    till.write('sale-1', false);
    twin.write('sale-2', false);
    const meet = () => {
      for (const other of [till, twin]) {
        attackRound(other, hub, Number.POSITIVE_INFINITY, options, counts);
        attackRound(hub, other, Number.POSITIVE_INFINITY, options, counts);
      }
    };
    meet();
    hub.write('temporary', false);
    hub.write('temporary', true);
    hub.purge();
    for (let i = 0; i < 3; i++) meet();
    return hub.values('sale-1').length + hub.values('sale-2').length;
  });
  assert.deepEqual(survivors, [1, 2]);
});
