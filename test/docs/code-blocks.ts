export interface CodeBlock {
  /** `file:line` of the block's first line. */
  readonly place: string;
  readonly language: string;
  /** The words after the language: `run` on an `sh` block has it run, `fragment` on a `ts` block exempts it. */
  readonly marks: readonly string[];
  readonly text: string;
}

const FENCE = /^```(?<language>\w+)(?<marks>[^\n]*)\n(?<text>[\s\S]*?)^```$/gm;

/** The fenced code blocks of a Markdown page. */
export function codeBlocks(path: string, page: string): CodeBlock[] {
  return [...page.matchAll(FENCE)].map(({ groups, index }) => ({
    place: `${path}:${page.slice(0, index).split('\n').length + 1}`,
    language: groups?.language ?? '',
    marks: (groups?.marks ?? '').split(' ').filter((word) => word !== ''),
    text: groups?.text ?? '',
  }));
}
