/**
 * Goal: a configuration means what its author meant, or is refused with a message that says what to change. Method: real files
 * in the test's own folder, environments and flags as plain arguments.
 */
import assert from 'node:assert/strict';
import { chmod, link, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import {
  describeConfig,
  type LoadConfigOptions,
  type LoadedConfig,
  loadConfig,
  readTokens,
  writeNewConfig,
} from './index.ts';

/** The settings file of the production guide, word for word. */
const GUIDE = `{
  "EntglDb": {
    "Network": {
      "TcpPort": 5000,
      "UdpPort": 6000,
      "RetryAttempts": 3
    },
    "Persistence": {
      "DatabasePath": "data/entgldb.db",
      "EnableWalMode": true,
      "CacheSizeMb": 50,
      "EnableAutoBackup": true,
      "BackupPath": "backups/"
    },
    "Sync": {
      "EnableOfflineQueue": true,
      "MaxQueueSize": 1000
    }
  }
}`;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entgldb-config-'));
});
after(() => rm(folder, { recursive: true }));

async function load(text: string | Uint8Array | null, more: Partial<LoadConfigOptions> = {}): Promise<LoadedConfig> {
  const own = await mkdtemp(join(folder, 'case-'));
  if (text !== null) await writeFile(join(own, 'appsettings.json'), text, { mode: 0o600 });
  return loadConfig({ workingDirectory: own, environment: {}, ...more });
}

describe('files', () => {
  test('the settings file of the guide works unchanged', async () => {
    const config = await load(GUIDE);
    assert.deepEqual(config.warnings, []);
    assert.equal(config.values['Persistence.CacheSizeMb'], 50);
    assert.equal(config.values['Network.RetryDelayMs'], 1000);
    const root = config.file!.replace('/appsettings.json', '');
    assert.equal(config.values['Persistence.DatabasePath'], join(root, 'data/entgldb.db'));
    assert.equal(config.values['Persistence.BackupPath'], join(root, 'backups'));
    assert.equal(config.dataDirectory, join(root, 'data'));
  });

  test('comments, trailing commas, a byte order mark, other sections and keys in any case are accepted', async () => {
    const config = await load(`\uFEFF{
      // where the till listens
      "ConnectionStrings": { "Main": "x" },
      "ENTGLDB": { "network": { "tcpPORT": "5001", /* as text */ "KnownPeers": ["a:1", { "address": "[::1]:2" },], }, },
      "Logging": { "LogLevel": { "Default": "Warning", "EntglDb.Network": "debug", "Microsoft.AspNetCore": "Error" } }
    }`);
    assert.deepEqual(config.warnings, []);
    assert.equal(config.values['Network.TcpPort'], 5001);
    assert.deepEqual(config.values['Network.KnownPeers'], [
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ]);
    assert.deepEqual(Object.fromEntries(config.values['Logging.LogLevel']), {
      Default: 'Warning',
      'EntglDb.Network': 'Debug',
      'Microsoft.AspNetCore': 'Error',
    });
  });

  test('a quoted text that looks like a comment stays unchanged', async () => {
    const config = await load('{ "EntglDb": { "NodeId": "a//b, /* c */ \\" ,]" } }');
    assert.equal(config.values.NodeId, 'a//b, /* c */ " ,]');
  });

  test('a malformed file is refused, naming the line', async () => {
    await assert.rejects(load('{\n  "EntglDb": {\n    "NodeId" 3\n  }\n}'), (error: Error) => {
      assert.ok(isEntglDbError(error, 'FILE_INVALID'));
      assert.equal(error.details.line, 3);
      assert.match(error.message, /appsettings\.json, line 3, column/);
      return true;
    });
    await assert.rejects(load('{ "EntglDb": '), (error: Error) => isEntglDbError(error, 'FILE_INVALID'));
    await assert.rejects(load('[]'), (error: Error) => isEntglDbError(error, 'FILE_INVALID'));
    for (const encoding of ['utf16le', 'latin1'] as const)
      await assert.rejects(load(Buffer.from('\uFEFF{ "EntglDb": { "NodeId": "Büro" } }', encoding)), {
        reason: 'FILE_INVALID',
        message: /is not UTF-8; save it as UTF-8/,
      });
  });

  test('a section that is not an object, or appears twice, is refused: the node would run with other settings', async () => {
    for (const [text, says] of [
      ['{ "EntglDb": [] }', /^EntglDb is a list in .*appsettings\.json; allowed is a section in braces/],
      ['{ "EntglDb": { "Network": 5 } }', /^Network is a number in /],
      [
        '{ "EntglDb": { "Network": {} }, "entgldb": {} }',
        /^EntglDb is more than once in .*, as EntglDb and entgldb; keep/,
      ],
      ['{ "EntglDb": { "sync": {}, "Sync": {} } }', /^Sync is more than once in .*, as sync and Sync; keep/],
      ['{ "EntglDb": { "NodeId": "a", "nodeID": "b" } }', /^NodeId is more than once/],
    ] as const)
      await assert.rejects(load(text), { reason: 'OPTION_INVALID', message: says });
    const config = await load('{ "EntglDb": null, "entgldb": { "nodeid": null, "NodeId": "a", "Network": null } }');
    assert.equal(config.values.NodeId, 'a');
  });

  test('a named file must exist, the default one need not', async () => {
    await assert.rejects(load(null, { configFile: 'other.json' }), (error: Error) =>
      isEntglDbError(error, 'FILE_NOT_FOUND'),
    );
    assert.equal((await load(null)).file, null);
  });

  test('a key that resembles none is not said to mean the section that it is in', async () => {
    const config = await load('{ "EntglDb": { "Persistence": { "Wheel": "x" } } }');
    assert.match(config.warnings[0]!, /^unknown key Persistence\.Wheel in .*: it is ignored$/);
  });

  test('an unknown key warns with the nearest known one, and does no harm', async () => {
    const config = await load(
      '{ "EntglDb": { "Network": { "TcpPrt": 1, "MaxQueueSize": 5 }, "Nonsense": { "x": 1 } } }',
    );
    assert.equal(config.warnings.length, 3);
    assert.match(config.warnings[0]!, /Network\.TcpPrt .*did you mean Network\.TcpPort\?/);
    assert.match(config.warnings[1]!, /Network\.MaxQueueSize .*did you mean Sync\.MaxQueueSize\?/);
    assert.match(config.warnings[2]!, /Nonsense .*it is ignored/);
  });

  test('keys outside section EntglDb are pointed out', async () => {
    const config = await load('{ "Network": { "TcpPort": 1 }, "EntgelDb": {} }');
    assert.match(config.warnings[0]!, /did you mean EntglDb\.Network\?/);
    assert.match(config.warnings[1]!, /did you mean EntglDb\?/);
    const { warnings } = await load('{ "EntglDb": {}, "EntglDb:Network:TcpPort": 1, "Other:Network": 1 }');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^unknown key EntglDb:Network:TcpPort .*did you mean Network\.TcpPort\?/);
  });
});

describe('precedence', () => {
  test('flags beat options beat the environment beats the file beats the default', async () => {
    const environment = {
      EntglDb__Network__TcpPort: '5002',
      ENTGLDB__NETWORK__UDPPORT: '6002',
      EntglDb__Sync__BatchSize: '',
    };
    const file = '{ "EntglDb": { "Network": { "TcpPort": 5001, "UdpPort": 6001, "RetryAttempts": 7 } } }';
    const options = { network: { udpPort: 6003 } };
    const flags = [{ flag: '--tcp-port', key: 'Network.TcpPort', value: '5004' }];
    const { values, sources, warnings } = await load(file, { environment, options, flags });
    assert.deepEqual(warnings, []);
    assert.equal(values['Network.TcpPort'], 5004);
    assert.deepEqual(sources.get('Network.TcpPort'), { kind: 'flag', name: '--tcp-port' });
    assert.equal(values['Network.UdpPort'], 6003);
    assert.deepEqual(sources.get('Network.UdpPort'), { kind: 'options' });
    assert.equal(values['Network.RetryAttempts'], 7);
    assert.equal(sources.get('Network.RetryAttempts')?.kind, 'file');
    assert.deepEqual(sources.get('Sync.BatchSize'), { kind: 'default' });
  });

  test('lists and maps can be set by the environment, numbered, named or with commas', async () => {
    const { values, warnings } = await load(null, {
      environment: {
        EntglDb__Network__KnownPeers__0__Address: '10.0.0.1:5000',
        EntglDb__Network__KnownPeers__1__Address: '10.0.0.2:5000',
        EntglDb__Sync__Collections: 'users, orders',
        EntglDb__Sync__ConflictResolver__stock: 'merge',
        Logging__LogLevel__Default: 'Error',
        'Logging__LogLevel__EntglDb.Sync': 'Trace',
        EntglDb__Netwrk__TcpPort: '1',
      },
    });
    assert.deepEqual(
      values['Network.KnownPeers'].map((peer) => peer.host),
      ['10.0.0.1', '10.0.0.2'],
    );
    assert.deepEqual(values['Sync.Collections'], ['users', 'orders']);
    assert.deepEqual(
      [...values['Sync.ConflictResolver']],
      [
        ['*', 'lww'],
        ['stock', 'merge'],
      ],
    );
    assert.deepEqual(
      [...values['Logging.LogLevel']],
      [
        ['Default', 'Error'],
        ['EntglDb.Sync', 'Trace'],
      ],
    );
    assert.match(warnings.join(), /Netwrk\.TcpPort .*EntglDb__Netwrk__TcpPort.*did you mean Network\.TcpPort\?/);
  });

  test('more peers than the node remembers are refused, without a list of them', async () => {
    const peers = Array.from({ length: LIMITS.peersMax + 1 }, (_, i) => `10.0.0.1:${i + 1}`);
    await assert.rejects(load(JSON.stringify({ EntglDb: { Network: { KnownPeers: peers } } })), {
      reason: 'OPTION_INVALID',
      message: /^Network\.KnownPeers is a list of 1025 in .*; allowed is a list of at most Limits\.PeersMax, 1024$/,
    });
  });

  test('setting a fixed limit causes a warning', async () => {
    const { warnings } = await load('{ "EntglDb": { "Limits": { "FilterTermsMax": 5, "PeersMax": 6 } } }');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^Limits\.FilterTermsMax in .*appsettings\.json.* is fixed at 10000$/);
  });

  test('limits are keys like any other', async () => {
    const { limits } = await load('{ "EntglDb": { "Limits": { "watchBufferMax": 5 } } }');
    assert.deepEqual(limits, { ...LIMITS, watchBufferMax: 5 });
  });
});

describe('values', () => {
  const refused: [key: string, value: unknown, allowed: RegExp][] = [
    ['Network.TcpPort', 70_000, /an integer from 0 to 65535/],
    ['Network.TcpPort', '50a', /an integer/],
    ['Network.TcpPort', 1.5, /an integer/],
    ['Network.RetryAttempts', 0, /from 1 to 100/],
    ['Network.LocalhostOnly', 'yes', /true or false/],
    ['Persistence.Durability', 'fast', /"full" or "normal"/],
    ['Persistence.DatabasePath', '', /a path/],
    ['Network.KnownPeers', [{ Address: 'host' }], /host:port/],
    ['Network.KnownPeers', [{ Address: 'host:0' }], /host:port/],
    ['Sync.ConflictResolver', { stock: 'magic' }, /"lww" or "merge"/],
    ['Logging.LogLevel', 'Loud', /"Trace" or "Debug"/],
    ['Health.ScrubMegabytesPerSecond', -1, /a number from 0/],
    ['Limits.DocumentDepthMax', 1000, /from 1 to 900/],
  ];
  for (const [key, value, allowed] of refused) {
    test(`${key} = ${JSON.stringify(value)} is refused with key, value, allowed values and source`, async () => {
      const [section, name] = key.split('.') as [string, string];
      await assert.rejects(load(JSON.stringify({ EntglDb: { [section]: { [name]: value } } })), (error: Error) => {
        assert.ok(isEntglDbError(error, 'OPTION_INVALID'));
        assert.equal(error.details.key, key);
        assert.deepEqual(error.details.value, value);
        assert.match(String(error.details.allowed), allowed);
        assert.match(error.message, /appsettings\.json/);
        return true;
      });
    });
  }

  test('values that do not fit together are refused', async () => {
    const cases = [
      { Http: { Host: '0.0.0.0' } },
      { Http: { Port: 5000 } },
      { Network: { AuthToken: 'a'.repeat(32), AuthTokenFile: 'x' } },
      { Limits: { FrameBytesMax: 1000 } },
      { Limits: { DocumentBytesMax: 8_000_000 } },
      { Limits: { MessageBytesMax: 16_000_000 } },
      { Limits: { ChannelBufferBytesMax: 500_000 } },
    ];
    for (const section of cases) {
      await assert.rejects(load(JSON.stringify({ EntglDb: section })), (error: Error) =>
        isEntglDbError(error, 'OPTION_INVALID'),
      );
    }
  });

  test('every value is listed with its source, secrets masked', async () => {
    const secret = 'correct horse battery staple';
    const config = await load(JSON.stringify({ EntglDb: { Network: { AuthToken: secret } } }));
    const lines = describeConfig(config);
    assert.ok(!JSON.stringify(lines).includes(secret));
    assert.equal(lines.find((line) => line.key === 'Network.AuthToken')?.value, '********');
    assert.equal(lines.find((line) => line.key === 'Network.TcpPort')?.source, 'the default');
    assert.ok(lines.some((line) => line.key === 'Limits.DocumentBytesMax'));
  });

  test('the error does not repeat a bad secret', async () => {
    await assert.rejects(load('{ "EntglDb": { "Network": { "AuthToken": 12345678 } } }'), (error: Error) => {
      assert.ok(!error.message.includes('12345678') && isEntglDbError(error, 'OPTION_INVALID'));
      assert.equal(error.details.value, '(hidden)');
      return true;
    });
  });
});

describe('the data directory', () => {
  test('holds the database file, whatever folder its path names', async () => {
    const config = await load(GUIDE, { configFile: 'appsettings.json', dataDirectory: 'node1' });
    const root = config.file!.replace('/appsettings.json', '');
    assert.equal(config.values['Persistence.DatabasePath'], join(root, 'node1', 'entgldb.db'));
    assert.equal(config.values['Persistence.BackupPath'], join(root, 'backups'));
  });

  test('is the base of relative paths when there is no file', async () => {
    const environment = { EntglDb__Persistence__BackupPath: 'backups' };
    const config = await load(null, { dataDirectory: 'node1', environment });
    assert.equal(config.values['Persistence.BackupPath'], join(config.dataDirectory, 'backups'));
  });
});

describe('tokens', () => {
  const onPosix = { skip: process.platform === 'win32' && 'Windows has no modes of files' };

  test('come from the file that the strongest source names; one that others can read warns', onPosix, async () => {
    const path = join(folder, 'token');
    await writeFile(path, '  0123456789abcdef0123456789abcdef\n', { mode: 0o600 });
    const inline = '{ "EntglDb": { "Network": { "AuthToken": "a token of the file itself" } } }';
    const flags = [{ flag: '--token-file', key: 'Network.AuthTokenFile', value: path }];
    const config = await load(inline, { flags });
    assert.deepEqual(await readTokens(config), {
      cluster: ['0123456789abcdef0123456789abcdef'],
      http: null,
      warnings: [],
    });
    await chmod(path, 0o644);
    assert.match((await readTokens(config)).warnings.join(), /others can read it; run: chmod 600/);
  });

  test('the previous token comes second, from its own keys; equal ones count once, and without a token there is no previous one', async () => {
    const [now, before] = ['the token that holds by now', 'the token before that one'];
    const tokensOf = async (network: object) =>
      (await readTokens(await load(JSON.stringify({ EntglDb: { Network: network } })))).cluster;
    const path = join(folder, 'previous');
    await writeFile(path, before, { mode: 0o600 });
    assert.deepEqual(await tokensOf({ AuthToken: now, PreviousAuthToken: before }), [now, before]);
    assert.deepEqual(await tokensOf({ AuthToken: now, PreviousAuthTokenFile: path }), [now, before]);
    assert.deepEqual(await tokensOf({ AuthToken: now, PreviousAuthToken: now }), [now]);
    assert.deepEqual(await tokensOf({ PreviousAuthToken: before }), []);
    await assert.rejects(tokensOf({ AuthToken: now, PreviousAuthToken: 'short' }), { reason: 'TOKEN_WEAK' });
    await assert.rejects(tokensOf({ AuthToken: now, PreviousAuthToken: before, PreviousAuthTokenFile: path }), {
      reason: 'OPTION_INVALID',
    });
  });

  test('a short or missing token is refused without being shown', async () => {
    const short = await load('{ "EntglDb": { "Network": { "AuthToken": "123456" } } }');
    await assert.rejects(readTokens(short), (error: Error) => {
      return isEntglDbError(error, 'TOKEN_WEAK') && !error.message.includes('123456');
    });
    await writeFile(join(folder, 'short'), 'short');
    const http = await load('{ "EntglDb": { "Http": { "TokenFile": "../short" } } }');
    await assert.rejects(readTokens(http), /use at least 16, at random; `entgldb init` makes none for HTTP$/);
    const missing = await load('{ "EntglDb": { "Http": { "TokenFile": "none" } } }');
    await assert.rejects(readTokens(missing), (error: Error) => isEntglDbError(error, 'FILE_NOT_FOUND'));
  });

  test(
    'a written configuration has a fresh token, can be read only by its owner, and is not replaced by accident',
    onPosix,
    async () => {
      const random = createSeededRandom(7);
      const path = join(folder, 'new', 'appsettings.json');
      const options = { path, databasePath: 'data/entgldb.db', tokenFile: null, nodeId: 'till-1', force: false };
      await writeNewConfig(options, random);
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      const first = await readTokens(await loadConfig({ configFile: path, workingDirectory: folder, environment: {} }));
      assert.match(first.cluster.join(), /^[0-9a-f]{32}$/);
      assert.deepEqual(first.warnings, []);
      await assert.rejects(writeNewConfig(options, random), (error: Error) => isEntglDbError(error, 'FILE_INVALID'));
      await writeNewConfig({ ...options, force: true }, random);
      const second = await readTokens(
        await loadConfig({ configFile: path, workingDirectory: folder, environment: {} }),
      );
      assert.notDeepEqual(first.cluster, second.cluster);
      // What a killed one can leave: the draft, under two names.
      await link(path, `${path}.new`);
      const refusal = { ...options, nodeId: 'till-2' };
      await assert.rejects(writeNewConfig(refusal, random), (error: Error) => isEntglDbError(error, 'FILE_INVALID'));
      assert.match(await readFile(path, 'utf8'), /till-1/);
      await writeNewConfig({ ...refusal, force: true }, random);
      assert.match(await readFile(path, 'utf8'), /till-2/);
      assert.deepEqual(await readdir(join(folder, 'new')), ['appsettings.json']);
    },
  );
});
