/**
 * Goal: the bytes of protocol version 1 never change, and wire_pb.ts is what wire.proto says.
 * Method: test/vectors/messages.json holds one session as messages and as hex frames; both directions must agree with it. A
 * new kind of message adds a vector, none is ever edited. Maps stand there as `{"$map": entries}`, bytes as `{"$hex": text}`.
 * Then wire.proto is generated anew and compared.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { createDecoder, createEncoder, type Message } from './index.ts';

interface Vector {
  readonly name: string;
  readonly message: Message;
  readonly frame: string;
  /** Compressed bytes may differ between releases of zstd: such frames are only read. */
  readonly readOnly?: true;
}

const root = join(import.meta.dirname, '..', '..', '..');

function readVectors(): Vector[] {
  const text = readFileSync(join(root, 'test/vectors/messages.json'), 'utf8');
  return JSON.parse(text, (_key, value) => {
    if (value?.$map) return new Map(value.$map);
    return value?.$hex === undefined ? value : Uint8Array.from(Buffer.from(value.$hex, 'hex'));
  });
}

test('every recorded message of version 1 is written with the recorded bytes', () => {
  const encoder = createEncoder({ zstd: false });
  for (const { name, message, frame, readOnly } of readVectors()) {
    if (!readOnly) assert.equal(Buffer.from(encoder.encode(message)).toString('hex'), frame, name);
  }
});

test('every recorded frame of version 1 is read as the recorded message', () => {
  const decoder = createDecoder();
  for (const { name, message, frame } of readVectors()) {
    assert.deepEqual(decoder.decode(Buffer.from(frame, 'hex')), message, name);
  }
});

test('every kind of message is recorded', () => {
  const kinds = new Set(readVectors().map(({ message }) => message.kind));
  assert.equal(kinds.size, 20);
});

test('the generated code is that of wire.proto', () => {
  const out = mkdtempSync(join(tmpdir(), 'entgldb-proto-'));
  try {
    const bin = join(root, 'node_modules', '.bin');
    const template = {
      version: 'v2',
      plugins: [{ local: 'protoc-gen-es', out, opt: ['target=ts', 'import_extension=ts'] }],
    };
    const done = spawnSync(join(bin, 'buf'), ['generate', 'src/net/messages', '--template', JSON.stringify(template)], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
    });
    assert.equal(done.status, 0, done.stderr);
    const generated = readFileSync(join(out, 'wire_pb.ts'), 'utf8');
    assert.equal(readFileSync(join(root, 'src/net/messages/wire_pb.ts'), 'utf8'), generated, 'run `npm run proto`');
  } finally {
    rmSync(out, { recursive: true });
  }
});
