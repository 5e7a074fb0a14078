/** Goal: only authorised clients reach the API. Method: a table of headers of honest and hostile clients. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAccess } from './guard.ts';

const OPEN = { tokens: ['start-secret-0123456789'], isTokenRequired: false };
const LOCKED = { tokens: ['0123456789abcdef', 'start-secret-0123456789'], isTokenRequired: true };
const host = '127.0.0.1:8080';

const cases: [claim: string, headers: Record<string, string>, open: number, locked: number][] = [
  ['a program on this machine passes where no token is needed', { host }, 200, 401],
  ['localhost by name and by IPv6', { host: 'localhost:8080' }, 200, 401],
  ['localhost by IPv6', { host: '[::1]:8080' }, 200, 401],
  ['no host at all is refused', {}, 403, 401],
  ['a page that rebinds its own name to 127.0.0.1 is refused', { host: 'evil.example:8080' }, 403, 401],
  ['a name that only begins like loopback is refused', { host: '127.0.0.1.evil.example' }, 403, 401],
  ['a page of another site is refused', { host, origin: 'http://evil.example' }, 403, 403],
  ['a page of another port is refused', { host, origin: 'http://127.0.0.1:9999' }, 403, 403],
  ['a page without an origin of its own is refused', { host, origin: 'null' }, 403, 403],
  ['an image of another site is refused', { host, 'sec-fetch-site': 'cross-site' }, 403, 403],
  ['its own page passes', { host, origin: 'http://127.0.0.1:8080' }, 200, 401],
  ['the right token passes', { host, authorization: 'Bearer 0123456789abcdef' }, 401, 200],
  ['the secret of this start passes', { host, authorization: 'bearer start-secret-0123456789' }, 200, 200],
  [
    'a token passes under any name of the machine',
    { host: 'till-1.local', authorization: 'Bearer 0123456789abcdef' },
    401,
    200,
  ],
  ['a wrong token is refused even where none is needed', { host, authorization: 'Bearer 0123456789abcdee' }, 401, 401],
  ['a longer token is refused', { host, authorization: 'Bearer 0123456789abcdef0' }, 401, 401],
  ['an empty token is refused', { host, authorization: 'Bearer ' }, 401, 401],
  ['another scheme is refused', { host, authorization: 'Basic 0123456789abcdef' }, 401, 401],
];
for (const [claim, headers, open, locked] of cases) {
  test(claim, () => {
    assert.equal(checkAccess(headers, OPEN)?.status ?? 200, open);
    assert.equal(checkAccess(headers, LOCKED)?.status ?? 200, locked);
  });
}
