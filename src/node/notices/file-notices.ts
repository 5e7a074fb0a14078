import type { StoreIdentity } from '../../store/index.ts';

/** What the user must know about the files found at the start, each with what to do about it. */
export function fileNotices(path: string, { reason, isCutBack, isGone, logsAside }: StoreIdentity): string[] {
  const notices: string[] = [];
  if (isGone)
    notices.push(
      `the database file ${path} was gone, and an empty one was made: peers bring back what they have. If it was moved, stop this node, put it back in the place of the new one, and start again; else restore a backup with \`entgldb restore\``,
    );
  else if (isCutBack)
    notices.push(
      `the newest writes in ${path} are gone: its log was damaged or removed, or with durability normal the power failed; peers bring back what they have of them`,
    );
  // A backup that was copied over the database never owned the log that lay there: that was deliberate.
  if (logsAside !== undefined && !isGone && reason !== 'sealed')
    notices.push(
      `beside ${path} lay the log of another database file: it was not read, and is kept as ${logsAside.join(', ')}. If files were exchanged by mistake, stop the nodes, put each database file back beside its own log (without the ending .aside-…), and start again`,
    );
  return notices;
}
