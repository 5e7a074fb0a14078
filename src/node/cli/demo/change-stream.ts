import { readLines } from '../../transfer/index.ts';
import type { HttpClient } from '../http-client.ts';

/** Longest line that the demo's own node may send. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;

export interface ChangeStream {
  /** Rejects when the node ends the stream or breaks it; never resolves before `close`. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Follows a collection of a running node; resolves when no later change can be missed. `onPut` receives the keys. */
export async function followChanges(
  client: HttpClient,
  collection: string,
  onPut: (key: string) => void,
): Promise<ChangeStream> {
  const path = `/api/v1/collections/${encodeURIComponent(collection)}/changes`;
  const response = await client.open({ method: 'GET', path, answerMsMax: Infinity });
  let isClosed = false;
  const follow = async (): Promise<void> => {
    let event = '';
    for await (const { text } of readLines(response, LINE_BYTES_MAX)) {
      if (text.startsWith('event: ')) event = text.slice('event: '.length);
      else if (event === 'put' && text.startsWith('data: ')) onPut(keyOf(text.slice('data: '.length)));
    }
    throw new Error('the node ended the stream of changes');
  };
  const ended = follow().catch((error: unknown) => {
    if (!isClosed) throw error;
  });
  const close = (): void => {
    isClosed = true;
    response.destroy();
  };
  return { ended, close };
}

function keyOf(data: string): string {
  return (JSON.parse(data) as { key: string }).key;
}
