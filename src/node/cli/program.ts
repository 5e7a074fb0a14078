import { Command, Option } from 'commander';
import type { CliContext, CommandRun, GlobalOptions } from './cli-context.ts';
import {
  type AddIndexArguments,
  addIndex,
  backup,
  type ConflictsArguments,
  check,
  collectBlobs,
  compact,
  config,
  conflicts,
  count,
  type DemoArguments,
  deleteDocument,
  demo,
  doctor,
  type ExportArguments,
  exportCommand,
  type FindArguments,
  find,
  get,
  getBlob,
  type HistoryArguments,
  health,
  history,
  type ImportArguments,
  type InitArguments,
  importCommand,
  init,
  listBlobs,
  listIndexes,
  peers,
  put,
  putBlob,
  removeIndex,
  restore,
  type StartArguments,
  salvage,
  start,
  status,
  verify,
} from './commands/index.ts';
import type { ExitCode } from './exit-code.ts';
import { createOutput } from './output.ts';

/** Makes commander's program; `finish` receives the exit code of the command that ran. */
export function createProgram(context: CliContext, version: string, finish: (code: ExitCode) => void): Command {
  const program = new Command('entgldb')
    .description('A document database whose nodes find each other on the LAN and keep each other in sync.')
    .version(version)
    .configureHelp({ showGlobalOptions: true })
    .option('--config <file>', 'settings file (default: appsettings.json in the data or working directory)')
    .option('--data <dir>', 'where the database file lies')
    .option('--json', 'machine-readable output')
    .addHelpText(
      'after',
      examples('init', 'start', 'put users user1 \'{"name":"Alice","age":31}\'', 'find users --sort=-age'),
    );

  /** Runs a command's function with the global options, whether they were given before or after its name. */
  const running =
    <Arguments extends unknown[]>(command: (run: CommandRun, ...args: Arguments) => Promise<ExitCode>) =>
    async (...args: [...Arguments, ...unknown[]]): Promise<void> => {
      const globals = program.opts<GlobalOptions>();
      const output = createOutput(context, globals.json === true);
      // Commander passes its options and itself after the arguments; a function uses only what it declares.
      finish(await command({ context, globals, output }, ...(args as unknown as Arguments)));
    };

  addNodeCommands(program, running);
  addDocumentCommands(program, running);
  addTransferCommands(program, running);
  addIndexCommands(program, running);
  addBlobCommands(program, running);
  addMaintenanceCommands(program, running);
  return program;
}

type Running = <Arguments extends unknown[]>(
  command: (run: CommandRun, ...args: Arguments) => Promise<ExitCode>,
) => (...args: [...Arguments, ...unknown[]]) => Promise<void>;

function addNodeCommands(program: Command, running: Running): void {
  program
    .command('start')
    .description('run a node in the foreground until Ctrl+C or SIGTERM')
    .option('--node-id <id>', 'human name of the node')
    .option('--tcp-port <n>', 'port for sync; 0 picks a free one')
    .option('--udp-port <n>', 'port for discovery; the same on all nodes')
    .option('--http-port <n>', 'port of the HTTP server; 0 picks a free one')
    .option('--peer <host:port>', 'a node to connect to, besides discovery; may be repeated', collect)
    .option('--no-discovery', 'do not look for nodes on the local network')
    .option('--token-file <file>', 'file that holds the cluster token')
    .addHelpText('after', examples('start', 'start --data till1 --tcp-port 0 --http-port 0 --peer 192.168.1.20:5000'))
    .action(running<[StartArguments]>(start));
  program
    .command('demo')
    .description('three nodes on this machine: watch them meet, sync, lose each other and heal')
    .addOption(new Option('--places <n>', 'only so many documents').hideHelp())
    .addHelpText('after', examples('demo'))
    .action(running<[DemoArguments]>(demo));
  program
    .command('init')
    .description('write a configuration with a fresh cluster token, readable by its owner only')
    .option('--node-id <id>', 'human name of the node')
    .option('--token-file <file>', 'take the token from this file rather than making one')
    .option('--force', 'replace an existing file')
    .addHelpText('after', examples('init', 'init --data till1 --node-id till-1'))
    .action(running<[InitArguments]>(init));
  program
    .command('status')
    .description('what the node is and does, and its collections')
    .addHelpText('after', examples('status', 'status --data till1 --json'))
    .action(running(status));
  program
    .command('peers')
    .description('the other nodes: where, connected or not, last sync, last error')
    .addHelpText('after', examples('peers'))
    .action(running(peers));
  program
    .command('health')
    .description('run the health checks; exit code 1 when not healthy')
    .addHelpText('after', examples('health', 'health --json'))
    .action(running(health));
  program
    .command('verify [peer]')
    .description('whether this node and its connected peers, or one of them, hold the same; exit code 1 when not')
    .addHelpText('after', examples('verify', 'verify till-2'))
    .action(running<[string | undefined]>(verify));
  program
    .command('doctor [address]')
    .description('check the whole installation; with host:port, whether that node can be reached')
    .addHelpText('after', examples('doctor', 'doctor 192.168.1.20:5000'))
    .action(running<[string | undefined]>(doctor));
  program
    .command('config')
    .description('every effective setting and where it came from, secrets masked')
    .addHelpText('after', examples('config', 'config --config appsettings.json --json'))
    .action(running(config));
}

function addDocumentCommands(program: Command, running: Running): void {
  program
    .command('put <collection> <key> [json]')
    .description('write a document; without JSON or with - it comes from the standard input')
    .addHelpText('after', examples('put users user1 \'{"name":"Alice"}\'', 'put users user2 - < user2.json'))
    .action(running<[string, string, string | undefined]>(put));
  program
    .command('get <collection> <key>')
    .description('print a document; exit code 1 when there is none')
    .addHelpText('after', examples('get users user1'))
    .action(running<[string, string]>(get));
  program
    .command('delete <collection> <key>')
    .description('delete a document; exit code 1 when there is none')
    .addHelpText('after', examples('delete users user1'))
    .action(running<[string, string]>(deleteDocument));
  program
    .command('find <collection> [filter]')
    .description('print the documents that fit a filter')
    .option('--sort <fields>', 'field names with commas, - before one for descending')
    .option('--skip <n>', 'leave out the first')
    .option('--limit <n>', 'at most so many')
    .option('--after <token>', 'go on where an earlier answer ended')
    .option('--fields <paths>', 'print only these members')
    .option('--explain', 'print how the query would be answered, and which index it uses')
    .addHelpText('after', examples('find users', 'find users \'{"age":{"$gte":18}}\' --sort=-age,name --limit 20'))
    .action(running<[string, string | undefined, FindArguments]>(find));
  program
    .command('count <collection> [filter]')
    .description('count the documents that fit a filter')
    .addHelpText('after', examples('count users', 'count users \'{"age":{"$gte":18}}\''))
    .action(running<[string, string | undefined]>(count));
  program
    .command('history <collection> <key>')
    .description('what readers saw of a document, where a program keeps it; exit code 1 when nothing is known')
    .option('--undo', 'write again what it was before the last change')
    .option('--to <time>', 'with --undo: as it was then')
    .addHelpText(
      'after',
      examples(
        'history users user1',
        'history users user1 --undo',
        'history users user1 --undo --to 2026-11-28T15:00Z',
      ),
    )
    .action(running<[string, string, HistoryArguments]>(history));
}

function addTransferCommands(program: Command, running: Running): void {
  program
    .command('import <collection> <file>')
    .description('write the documents of an NDJSON or CSV file, - for the standard input')
    .option('--format <format>', 'csv or ndjson (default: by the file name)')
    .option('--key-field <name>', 'field that holds the key (default: _id, id, _key or key)')
    .option('--delimiter <char>', 'between the cells of a CSV file: , ; | or tab')
    .option('--all-text', 'take every cell of a CSV file for text')
    .option('--skip-bad', 'leave bad lines out and go on; exit code 2 if there were any')
    .option('--resume', 'remember how far it came, and go on there if it was cut before')
    .addHelpText(
      'after',
      examples(
        'import users users.ndjson',
        'import articles articles.csv --key-field sku --delimiter ";"',
        'import users users.ndjson --resume',
      ),
    )
    .action(running<[string, string, ImportArguments]>(importCommand));
  program
    .command('export <collection> [file]')
    .description('write a collection as NDJSON or CSV to a file or the standard output')
    .option('--format <format>', 'csv or ndjson (default: by the file name)')
    .option('--delimiter <char>', 'between the cells of a CSV file: , ; | or tab')
    .option('--columns <names>', 'fields of a CSV file, with commas (default: all)')
    .option('--versions', 'with the versions that each document consists of, and who wrote them (NDJSON)')
    .option('--resume', 'keep what was written if it is cut, and go on there')
    .addHelpText(
      'after',
      examples('export users users.ndjson', 'export users users.csv', 'export users | gzip > users.ndjson.gz'),
    )
    .action(running<[string, string | undefined, ExportArguments]>(exportCommand));
}

function addIndexCommands(program: Command, running: Running): void {
  const index = program
    .command('index')
    .description('indexes of a collection on this node: list, add, remove')
    .addHelpText('after', examples('index add users city age', 'index list users', 'find users --explain'));
  index
    .command('list <collection>')
    .description('the indexes, and how far they are built')
    .action(running<[string]>(listIndexes));
  index
    .command('add <collection> <path...>')
    .description('make an index on these fields, and wait until it is built')
    .option('--name <name>', 'another one of that name makes room (default: made of the rest)')
    .option('--multi', 'one entry for each item of the array at its path')
    .option('--unique', 'refuse local writes that would give two documents the same values')
    .option('--full-text', 'the words of the texts, for $text')
    .option('--where <filter>', 'only documents that fit')
    .addHelpText('after', examples('index add users city age', 'index add articles title body --full-text'))
    .action(running<[string, string[], AddIndexArguments]>(addIndex));
  index
    .command('remove <collection> <name>')
    .description('remove an index; exit code 1 when there is none')
    .action(running<[string, string]>(removeIndex));
}

function addBlobCommands(program: Command, running: Running): void {
  const blob = program
    .command('blob')
    .description('files beside documents: put, get, list, collect')
    .addHelpText('after', examples('blob put photo.jpg --type image/jpeg', 'blob get HASH photo.jpg', 'blob list'));
  blob
    .command('put <file>')
    .description('store a file, - for the standard input; prints the reference to put into a document')
    .option('--type <type>', 'media type, kept in the reference')
    .action(running<[string, { type?: string }]>(putBlob));
  blob
    .command('get <blob> [file]')
    .description('the bytes, to a file or the standard output; BLOB is the hash, or the reference in a document')
    .action(running<[string, string | undefined]>(getBlob));
  blob.command('list').description('the blobs that this node knows of').action(running(listBlobs));
  blob
    .command('collect')
    .description('delete, on all nodes, what no document has referred to for so long')
    .option('--days <n>', 'at least 7', '7')
    .action(running<[{ days: string }]>(collectBlobs));
}

function addMaintenanceCommands(program: Command, running: Running): void {
  program
    .command('backup [file]')
    .description('back the database up while it runs; the backup is verified')
    .addHelpText('after', examples('backup', 'backup before-update.db'))
    .action(running<[string | undefined]>(backup));
  program
    .command('restore <file>')
    .description('put a backup in the place of the database of a stopped node; the replaced file is kept')
    .addHelpText('after', examples('restore backups/latest.db'))
    .action(running<[string]>(restore));
  program
    .command('salvage <folder>')
    .description('write what can be read of a database that cannot be opened; exit code 1 when something cannot')
    .addHelpText('after', examples('salvage rescued', 'salvage rescued --data data'))
    .action(running<[string]>(salvage));
  program
    .command('check')
    .description('check every document and index; exit code 1 when something is damaged')
    .addHelpText('after', examples('check'))
    .action(running(check));
  program
    .command('compact')
    .description('give unused space of the database file back')
    .addHelpText('after', examples('compact'))
    .action(running(compact));
  program
    .command('conflicts')
    .description('concurrent writes that met, newest first')
    .option('--limit <n>', 'at most so many', '20')
    .option('--restore <id>', 'write the version that lost again, over what is there now')
    .addHelpText('after', examples('conflicts', 'conflicts --limit 100 --json', 'conflicts --restore 7'))
    .action(running<[ConflictsArguments]>(conflicts));
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ entgldb ${line}`).join('\n')}`;
}
