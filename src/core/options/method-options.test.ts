/**
 * Goal: invalid, misspelt and mistyped options are refused with the name of the method before it runs, and all others are passed
 * on unchanged. Method: a class with one method of each kind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOptions, guardMethods, rejecting, throwing } from './index.ts';

class Shop {
  readonly #log: unknown[] = [];

  async sell(item: string, options?: object): Promise<unknown[]> {
    this.#log.push(item, options);
    return this.#log;
  }

  watch(options?: object): unknown[] {
    this.#log.push(options);
    return this.#log;
  }
}

const KNOWN = { ifVersion: true, onProgress: true, signal: true };
guardMethods(Shop.prototype, { sell: rejecting(1, KNOWN), watch: throwing(0, KNOWN) });

const MISTAKES: readonly (readonly [unknown, string])[] = [
  [null, 'the options of sell are null; write an object such as { ifVersion: … }, or leave them out'],
  [5, 'the options of sell are 5; write an object such as { ifVersion: … }, or leave them out'],
  [[], 'the options of sell are an array; write an object such as { ifVersion: … }, or leave them out'],
  [
    new AbortController().signal,
    'the options of sell are an AbortSignal; write an object such as { signal: … }, or leave them out',
  ],
  [{ ifversion: 'x' }, 'the options of sell hold the unknown "ifversion"; known: ifVersion, onProgress, signal'],
  [{ signal: null }, 'the signal of sell is null; give that of an AbortController, or none'],
  [{ signal: new AbortController() }, 'the signal of sell is an object; give that of an AbortController, or none'],
  [{ onProgress: 'bar' }, 'onProgress of sell is "bar"; give a function, or none'],
];

test('a mistake in the options rejects or throws, as the method does for other errors, and the method does not run', async () => {
  const shop = new Shop();
  for (const [options, message] of MISTAKES) {
    const selling = shop.sell('coffee', options as object);
    await assert.rejects(selling, { name: 'TypeError', message });
    assert.throws(() => shop.watch(options as object), { message: message.replaceAll('of sell', 'of watch') });
    assert.throws(() => checkOptions(options, 'sell', KNOWN), { name: 'TypeError', message });
  }
  assert.deepEqual(shop.watch(), [undefined]);
});

test('valid options are passed on unchanged, and so are missing ones', async () => {
  const shop = new Shop();
  const options = { ifVersion: null, onProgress: () => {}, signal: AbortSignal.abort() };
  assert.deepEqual(await shop.sell('coffee', options), ['coffee', options]);
  assert.deepEqual(await shop.sell('tea', { signal: undefined }), ['coffee', options, 'tea', { signal: undefined }]);
  assert.equal(shop.sell.name, 'sell');
});
