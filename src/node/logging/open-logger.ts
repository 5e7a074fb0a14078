import type { Logger as PinoLogger } from 'pino';
import type { Logger } from '../../core/logging/index.ts';
import type { LogLevel } from '../config/index.ts';
import { fileProblem, pathProblem } from '../files/index.ts';
import { guideLevel, levelOf, PINO_LEVELS } from './levels.ts';
import { createRedactor, redactPaths } from './redact.ts';
import { RotatingFile } from './rotating-file.ts';

/** Most bytes of log lines that wait for the disk. */
const LOG_BUFFER_BYTES_MAX = 8 * 1024 * 1024;

export interface OpenLoggerOptions {
  /** Minimum level by category; `Default` for all others. */
  readonly levels: ReadonlyMap<string, LogLevel>;
  /** Where lines go if there is no file. */
  readonly output: { write(text: string): unknown; readonly isTTY?: boolean };
  /** Null: `output`, formatted for people if it is a terminal. A file always holds JSON lines. */
  readonly file: { readonly path: string; readonly fileBytesMax: number; readonly filesMax: number } | null;
  /** Values that are masked in every line. */
  readonly secrets: readonly string[];
}

export interface OpenLogger {
  readonly logger: Logger;
  /** Takes effect with the next line, in existing children too. */
  setLevels(levels: ReadonlyMap<string, LogLevel>): void;
  /** Masks these values too, from the next line on. */
  hide(secrets: readonly string[]): void;
  /** Resolves when all lines are written. */
  close(): Promise<void>;
}

/** Opens the logger of a node. A child with the field `category` has the level of that category. Loads pino when called. */
export async function openLogger(options: OpenLoggerOptions): Promise<OpenLogger> {
  const [{ pino }, { errorFields }] = await Promise.all([import('pino'), import('./error-fields.ts')]);
  let secrets = options.secrets;
  let redact = createRedactor(secrets);
  const sink = await openSink(options);
  const root = pino(
    {
      level: 'trace',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: guideLevel(label) }) },
      serializers: { err: errorFields, error: errorFields },
      redact: { paths: [...redactPaths], censor: '********' },
    },
    { write: (line) => sink.write(redact(line)) },
  );
  const shared: SharedLevels = { levels: options.levels };
  return {
    logger: adapt(root, 'EntglDb', shared),
    setLevels: (levels) => {
      shared.levels = levels;
    },
    hide: (more) => {
      secrets = [...new Set([...secrets, ...more])];
      redact = createRedactor(secrets);
    },
    close: () => sink.close(),
  };
}

interface Sink {
  write(line: string): void;
  close(): Promise<void>;
}

async function openSink({ output, file }: OpenLoggerOptions): Promise<Sink> {
  if (file !== null) {
    const onError = (error: Error): void => {
      void pathProblem(file.path, 'file').then((problem) => {
        const why = problem ?? `cannot write ${file.path}: ${fileProblem(error)}; free space or correct the path`;
        output.write(`entgldb: Logging.LogFilePath: ${why}\n`);
      });
    };
    return new RotatingFile({ ...file, bufferBytesMax: LOG_BUFFER_BYTES_MAX, onError });
  }
  if (output.isTTY !== true) return { write: (line) => void output.write(line), close: async () => {} };
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: true,
    customLevels: 'trace:10,debug:20,information:30,warning:40,error:50,critical:60',
    customColors: 'trace:gray,debug:blue,information:green,warning:yellow,error:red,critical:bgRed',
    useOnlyCustomProps: true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'category',
    singleLine: true,
  });
  return { write: (line) => void output.write(pretty(line)), close: async () => {} };
}

/** Shared by all loggers of one root, so that nobody has to keep a list of children. */
interface SharedLevels {
  levels: ReadonlyMap<string, LogLevel>;
}

/** Implements the logger port with pino, whose methods take the same arguments. */
function adapt(pino: PinoLogger, category: string, shared: SharedLevels): Logger {
  let applied: ReadonlyMap<string, LogLevel> | undefined;
  const current = (): PinoLogger => {
    if (applied !== shared.levels) {
      applied = shared.levels;
      pino.level = PINO_LEVELS[levelOf(category, applied)];
    }
    return pino;
  };
  return {
    trace: (fields, message) => current().trace(fields, message),
    debug: (fields, message) => current().debug(fields, message),
    info: (fields, message) => current().info(fields, message),
    warn: (fields, message) => current().warn(fields, message),
    error: (fields, message) => current().error(fields, message),
    fatal: (fields, message) => current().fatal(fields, message),
    child: (fields) => {
      const own = 'category' in fields && typeof fields.category === 'string' ? fields.category : category;
      return adapt(pino.child(fields), own, shared);
    },
  };
}
