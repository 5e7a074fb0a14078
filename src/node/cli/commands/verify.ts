import { ConfigurationError, NetworkError } from '../../../core/errors/index.ts';
import type { CollectionEquality, PeerEquality } from '../../services/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatCount, formatTable } from '../format.ts';
import { withTarget } from '../open-target.ts';

/** Compares with every connected peer, or with one. Exit code 1 unless everything is equal. */
export async function verify(run: CommandRun, peer: string | undefined): Promise<ExitCode> {
  if (peer === '') throw new ConfigurationError('USAGE', 'PEER is empty; name a node, as in `entgldb peers`');
  const peers = await withTarget(run, { running: true }, (target, stop) => target.verify(peer ?? null, stop));
  if (peers.length === 0)
    throw new NetworkError('NODE_UNREACHABLE', 'no peer is connected, so nothing was compared; see `entgldb peers`');
  await run.output.answer({ peers }, verifyText(peers));
  const isEqual = peers.every(({ collections }) => collections.every(({ verdict }) => verdict === 'equal'));
  return isEqual ? EXIT.ok : EXIT.no;
}

/** What to do about each verdict except `equal`. */
const ADVICE = {
  behind: 'one knows writes that the other does not yet; sync ends it: ask again',
  different: 'rows are damaged or have vanished; what is damaged is being repaired: see `entgldb health`',
  unanswered: 'the peer did not answer in time, or is of an older release',
} as const;

function verifyText(peers: readonly PeerEquality[]): string {
  const rows = peers.flatMap(({ node, collections }) => collections.map((each) => rowOf(node, each)));
  const table = rows.length === 0 ? 'No collections in common yet.' : formatTable(TITLES, rows);
  const verdicts = new Set(peers.flatMap(({ collections }) => collections.map(({ verdict }) => verdict)));
  const advice = Object.entries(ADVICE).filter(([verdict]) => verdicts.has(verdict as keyof typeof ADVICE));
  return [table, ...advice.map(([verdict, text]) => `! ${verdict}: ${text}`)].join('\n');
}

const TITLES = ['PEER', 'COLLECTION', 'VERDICT', 'HERE', 'THERE'];

function rowOf(node: string, { collection, verdict, ours, theirs }: CollectionEquality): string[] {
  const shown = (count: number | null): string => (count === null ? '-' : formatCount(count));
  return [node, collection, verdict, shown(ours), shown(theirs)];
}
