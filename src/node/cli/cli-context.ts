import type { Clock } from '../../core/clock/index.ts';
import type { Random } from '../../core/ids/index.ts';
import type { OpenNode } from '../node-api.ts';

/** The environment of a command line, so that tests can run one in their own process. */
export interface CliContext {
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly clock: Clock;
  readonly random: Random;
  /** File of this program, which the demo starts again for each of its nodes. */
  readonly program: string;
  /** Loads the composition root, so that only commands that open a database pay for it. */
  loadOpenNode(): Promise<OpenNode>;
  /** Calls `listener` at the first SIGINT or SIGTERM; a second one ends the process immediately. Returns an unsubscriber. */
  onStopSignal(listener: (signal: string) => void): () => void;
  /** Calls `listener` at each SIGHUP that is not the hangup of a terminal. Returns an unsubscriber. */
  onReloadSignal(listener: () => void): () => void;
}

/** The options that every command takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** What a command function works with. */
export interface CommandRun {
  readonly context: CliContext;
  readonly globals: GlobalOptions;
  readonly output: Output;
}

/** Writes answers to the standard output, in one form for people and one for programs. */
export interface Output {
  readonly isJson: boolean;
  /** With `--json` one JSON value on one line, otherwise the text; waits while the reader is slow. Rejects as `raw` does. */
  answer(value: unknown, text: string): Promise<void>;
  /** Writes bytes or text unchanged, in either form. Rejects with OutputClosed if nobody reads them, and with DISK_FULL or IO_FAILED. */
  raw(text: string | Uint8Array): Promise<void>;
  /** Writes a remark for people to the standard error output; nothing with `--json`. */
  note(text: string): void;
  /** Writes what belongs beside an answer to the standard error output: one JSON value on one line, or text. */
  aside(value: object, text: string): void;
}
