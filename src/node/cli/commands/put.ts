import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { printable } from '../format.ts';
import { withTarget } from '../open-target.ts';
import { parseJsonObject } from '../parse-argument.ts';

/** Writes a document: the argument `json`, or if that is absent or `-`, the standard input. */
export async function put(
  run: CommandRun,
  collection: string,
  key: string,
  json: string | undefined,
): Promise<ExitCode> {
  const { stdin } = run.context;
  if (json === undefined && stdin.isTTY === true)
    run.output.note('type the document as JSON, and end with Ctrl+D on a line of its own (Windows: Ctrl+Z)');
  const text = json === undefined || json === '-' ? await readText(stdin) : json;
  const value = parseJsonObject(text, 'the document');
  await withTarget(run, { create: true }, (target) => target.collection(collection).put(key, value));
  await run.output.answer({ collection, key, stored: true }, `Stored ${printable(key)} in ${collection}.`);
  return EXIT.ok;
}

async function readText(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
