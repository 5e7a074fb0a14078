import { hlcToMs } from '../../core/clock/index.ts';
import type { ReplicaId } from '../../core/ids/index.ts';
import { dotText, type Version } from '../../core/version/index.ts';
import type { DocumentVersion } from '../document-api.ts';

/** Converts a version for the public API. */
export function toDocumentVersion(
  { replica, seq, hlc, value }: Pick<Version, 'replica' | 'seq' | 'hlc' | 'value'>,
  nodeOf: (replica: ReplicaId) => string | null,
): DocumentVersion {
  return {
    node: nodeOf(replica),
    replica,
    dot: dotText({ replica, seq }),
    writtenAt: hlcToMs(hlc),
    value: value === null ? null : JSON.parse(value),
  };
}
