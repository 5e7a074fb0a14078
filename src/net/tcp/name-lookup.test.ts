/**
 * Goal: a name server that answers later than a dial waits does not keep a peer away, and questions do not pile up. Method: dials of a
 * real transport by name, on a manual clock, with a name server that answers when the test says so.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isEntglDbError } from '../../core/errors/index.ts';
import { createManualClock } from '../../testing/index.ts';
import { dialTls } from './dial-tls.ts';
import { NameLookup } from './name-lookup.ts';
import { CLUSTER, closeOpened, HOST, startNode, turn } from './test-node.ts';

const CONNECT_MS = 5000;

after(closeOpened);

async function setUp() {
  const node = await startNode();
  const clock = createManualClock();
  const questions: ((failure?: string) => void)[] = [];
  const names = new NameLookup(clock, (_name, { all }, callback) => {
    questions.push((failure) => {
      if (failure !== undefined) callback(Object.assign(new Error(failure), { code: failure }), []);
      else if (all === true) callback(null, [{ address: HOST, family: 4 }]);
      else callback(null, HOST, 4);
    });
  });
  const address = { host: 'till-2', port: node.listener.address.port };
  const dial = () => dialTls(address, CLUSTER, { clock, msMax: CONNECT_MS, lookup: names.lookup });
  /** Dials and waits too short a time. */
  const dialInVain = async (): Promise<void> => {
    const dialling = dial();
    await turn();
    clock.advance(CONNECT_MS);
    await assert.rejects(dialling, (error: Error) => {
      assert.ok(isEntglDbError(error, 'TIMED_OUT'));
      assert.match(error.message, /the name till-2 was not resolved within 5000 ms; .*name server.*IP address/);
      return true;
    });
  };
  return { clock, questions, dial, dialInVain };
}

test('a dial takes over the question of the one before it, which was given up', async () => {
  const { questions, dial, dialInVain } = await setUp();
  for (let i = 0; i < 3; i++) await dialInVain();
  assert.equal(questions.length, 1);
  const dialling = dial();
  questions[0]!();
  (await dialling).destroy();
  assert.equal(questions.length, 1);
});

test('an answer that comes between two dials serves the next one, and is not kept for long', async () => {
  const { clock, questions, dial, dialInVain } = await setUp();
  await dialInVain();
  questions[0]!();
  clock.advance(1000);
  (await dial()).destroy();
  assert.equal(questions.length, 1);
  clock.advance(CONNECT_MS);
  const dialling = dial();
  questions[1]!();
  (await dialling).destroy();
  const another = dial();
  assert.equal(questions.length, 3, 'what is answered at once is asked each time: the name may lead elsewhere now');
  questions[2]!();
  (await another).destroy();
});

test('a failed lookup fails every dial that waits for it, and the next one asks again', async () => {
  const { questions, dial } = await setUp();
  const both = [dial(), dial()];
  questions[0]!('ENOTFOUND');
  for (const each of both) await assert.rejects(each, (error) => isEntglDbError(error, 'CONNECT_FAILED'));
  const dialling = dial();
  questions[1]!();
  (await dialling).destroy();
});
