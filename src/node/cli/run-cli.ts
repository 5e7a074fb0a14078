import { type Command, CommanderError } from 'commander';
import { ConfigurationError, isEntglDbError, messageOf } from '../../core/errors/index.ts';
import { errorBody } from '../http/index.ts';
import { assertNodeVersion } from '../node-version.ts';
import type { CliContext } from './cli-context.ts';
import { CommandStopped, EXIT, type ExitCode, exitCodeOf } from './exit-code.ts';
import { OutputClosed } from './output.ts';
import { createProgram } from './program.ts';

/**
 * Runs one command line (without the program's name) and resolves with its exit code. Never rejects: an error becomes one line
 * on the standard error output, with `--json` one JSON object.
 */
export async function runCli(args: readonly string[], context: CliContext, version: string): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = createProgram(context, version, (result) => {
    code = result;
  });
  let help = '';
  for (const command of withSubcommands(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => {
        help += text;
      },
      outputError: () => {},
    });
  }
  try {
    assertNodeVersion();
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof OutputClosed || (error instanceof CommanderError && error.exitCode === 0)) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help') context.stderr.write(help);
    else
      report(
        usageError(
          error,
          args,
          program.commands.map((command) => command.name()),
        ),
        context,
        args.includes('--json'),
      );
    return error instanceof CommanderError ? EXIT.usage : exitCodeOf(error);
  }
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Turns an error of commander into one line that ends with what to do. */
function usageError(error: unknown, args: readonly string[], commands: readonly string[]): unknown {
  if (!(error instanceof CommanderError)) return error;
  const message = reworded(error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '));
  const command = args.find((arg) => commands.includes(arg));
  const help = ['entgldb', ...(command === undefined ? [] : [command]), '--help'].join(' ');
  return new ConfigurationError('USAGE', `${message.replace(/\.$/, '')}; see \`${help}\``);
}

/** Rewrites commander's most frequent messages in plain words. */
function reworded(message: string): string {
  const tooMany = /^too many arguments for '(.+)'\. Expected (\d+) arguments? but got (\d+)/.exec(message);
  if (tooMany !== null) {
    const [, command, most, given] = tooMany;
    return `${command} takes ${most === '0' ? 'no arguments' : `at most ${most}`}, not ${given}; put what contains blanks into quotes`;
  }
  return message
    .replace(/^option '(--\S+) (<.+>)' argument missing/, '$1 wants a value, as in $1 $2')
    .replace(/^missing required argument '(.+)'/, 'the $1 is missing');
}

function unknownError(error: unknown): object {
  if (error instanceof CommandStopped) return { code: 'STOPPED', reason: 'STOPPED', details: error.details };
  return { code: 'INTERNAL_ERROR', reason: 'INTERNAL', details: {} };
}

function report(error: unknown, { stderr }: CliContext, isJson: boolean): void {
  const known = isEntglDbError(error) ? error : undefined;
  const message = messageOf(error);
  const body = known === undefined ? { error: { ...unknownError(error), message } } : errorBody(known);
  stderr.write(`${isJson ? JSON.stringify(body) : `entgldb: ${message.replace(/\s*\n\s*/g, ' ')}`}\n`);
}
