// The layout of the reference: which page has which names, and what an entry looks like.
import { type Declaration, Declarations, type Member } from './declarations.ts';

interface Page {
  readonly file: string;
  readonly title: string;
  readonly intro: string;
  /** Beginnings of `path#Name`, relative to `src/`. The longest match decides on which page a name goes. */
  readonly claims: readonly string[];
}

const PAGES: readonly Page[] = [
  {
    file: 'database.md',
    title: 'Opening a database',
    intro: 'All settings with their defaults and bounds: [configuration](../configuration.md).',
    claims: [
      'node/open-database',
      'node/node-',
      'node/network/peer-status',
      'core/logging',
      'net/',
      'core/replication/',
      'database/api.ts#Database',
      'database/wants.ts',
    ],
  },
  {
    file: 'collections.md',
    title: 'Collections and transactions',
    intro: 'The guide: [collections](../guide/collections.md).',
    claims: [
      'database/api.ts',
      'database/document-api.ts',
      'database/schema/',
      'database/evolution/',
      'core/query/json.ts',
    ],
  },
  {
    file: 'queries.md',
    title: 'Queries and indexes',
    intro: 'The guide: [queries](../guide/queries.md).',
    claims: ['database/query/', 'core/query/', 'store/store.ts#QueryPlan', 'database/schema/filter-types.ts'],
  },
  {
    file: 'live.md',
    title: 'Live queries',
    intro: 'The guide: [live queries](../guide/live.md).',
    claims: ['database/live/', 'database/api.ts#LiveOptions'],
  },
  {
    file: 'blobs.md',
    title: 'Blobs',
    intro: 'The guide: [blobs](../guide/blobs.md).',
    claims: ['database/blobs/'],
  },
  {
    file: 'conflicts-and-history.md',
    title: 'Conflicts, versions, history',
    intro: 'The guides: [conflicts](../guide/conflicts.md), [history](../guide/history.md).',
    claims: [
      'core/merge/',
      'core/version/',
      'core/document/',
      'database/history/',
      'database/api.ts#Conflict',
      'database/document-api.ts#DocumentVersion',
    ],
  },
  {
    file: 'services.md',
    title: 'Services',
    intro:
      'The guides: [hardening for production](../guide/production-hardening.md), [receipts](../guide/receipts.md).',
    claims: ['node/', 'resilience/', 'diagnostics/', 'database/cache/', 'core/retry/', 'core/clock/'],
  },
  {
    file: 'errors.md',
    title: 'Errors',
    intro: 'All codes and reasons: [errors](../errors.md).',
    claims: ['core/errors/'],
  },
  {
    file: 'testing.md',
    title: 'Support for tests: entgldb/testing',
    intro:
      "Imported from `'entgldb/testing'`: a clock that is turned by hand, random from a seed, networks in memory, suites that an adapter must pass.",
    claims: ['testing/'],
  },
];

const MADE_BY = '<!-- Made from the comments in src by `npm run docs:api`; a test compares. -->';

/** The pages of docs/api: file names and texts. Throws if no page claims a public name. */
export function apiPages(root: string): Map<string, string> {
  const sources = new Declarations(root);
  const entries = ['src/index.ts', 'src/testing/index.ts'].flatMap((index) =>
    sources.exportsOf(index).map((name) => sources.declaration(index, name)),
  );
  const pageByName = new Map(entries.map((entry) => [entry.name, pageOf(entry)]));
  const pages = PAGES.map((page) => {
    const own = entries.filter(({ name }) => pageByName.get(name) === page).sort(inOrder);
    return { page, own, text: pageText(page, own, pageByName) };
  });
  return new Map([
    ['README.md', indexText(pages)],
    ...pages.map(({ page, text }): [string, string] => [page.file, text]),
  ]);
}

function pageOf({ path, name }: Declaration): Page {
  const place = `${path.replace(/^src\//, '')}#${name}`;
  const claims = PAGES.flatMap((page) => page.claims.map((claim) => ({ page, claim })));
  const fitting = claims.filter(({ claim }) => place.startsWith(claim));
  const best = fitting.sort((a, b) => b.claim.length - a.claim.length)[0];
  if (best === undefined) throw new Error(`no page of docs/api claims ${place}: see scripts/api/pages.ts`);
  return best.page;
}

/** Functions come first, then classes, then interfaces with methods, then the rest; each by name. */
function inOrder(a: Declaration, b: Declaration): number {
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}

function rank({ signatures: [signature = ''], members }: Declaration): number {
  if (signature.startsWith('function ')) return 0;
  if (signature.startsWith('class ')) return 1;
  return members.some(({ isMethod }) => isMethod) ? 2 : 3;
}

function indexText(pages: readonly { page: Page; own: readonly Declaration[] }[]): string {
  const rows = pages.map(({ page, own }) => {
    const names = own.map(({ name }) => `[${name}](${page.file}#${slug(name)})`);
    return `## [${page.title}](${page.file})\n\n${names.join(' · ')}\n`;
  });
  return `${MADE_BY}\n\n# Reference\n\nEvery name that \`entgldb\` and \`entgldb/testing\` export. How they are used: [the guides](../guide/README.md).\n\n${rows.join('\n')}`;
}

function pageText(page: Page, own: readonly Declaration[], pageByName: ReadonlyMap<string, Page>): string {
  const entries = own.map((entry) => entryText(page, entry, pageByName));
  return `${MADE_BY}\n\n# ${page.title}\n\n${page.intro} All names: [reference](README.md).\n\n${entries.join('\n')}`;
}

function entryText(page: Page, entry: Declaration, pageByName: ReadonlyMap<string, Page>): string {
  const { name, signatures, comment, members } = entry;
  const code = `\`\`\`ts fragment\n${signatures.join('\n')}\n\`\`\``;
  const list = members.map((member, i) => memberText(name, member, members[i - 1]?.name !== member.name)).join('\n');
  const named = new Set(`${signatures} ${members.map(({ signature }) => signature)}`.match(/\b\w+\b/g));
  const links = [...named].sort().flatMap((other) => {
    const target = pageByName.get(other);
    if (target === undefined || other === name) return [];
    return `[${other}](${target === page ? '' : target.file}#${slug(other)})`;
  });
  const parts = [`## ${name}`, prose(comment), code, list, links.length > 0 ? `Named here: ${links.join(', ')}.` : ''];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** The entry of a member. A method gets an anchor such as `collections.md#collection.put`; of overloads, only the first. */
function memberText(owner: string, { name, signature, comment, isMethod }: Member, isFirst: boolean): string {
  const anchor = isMethod && isFirst && name !== '' ? `<a id="${slug(owner)}.${slug(name)}"></a>` : '';
  const code = signature.includes('`') ? `\`\` ${signature} \`\`` : `\`${signature}\``;
  const text = comment === '' ? '' : `  \n  ${prose(comment).replace(/\n(?=.)/g, '\n  ')}`;
  return `- ${anchor}${code}${text}`;
}

/** Comments are Markdown, but angle brackets are escaped, and pages that they name from the root become links. */
function prose(comment: string): string {
  return comment
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part : linked(part.replace(/</g, '\\<'))))
    .join('');
}

function linked(text: string): string {
  return text.replace(/\bdocs\/((?:\w+\/)?([\w-]+)\.md)/g, '[$2](../$1)');
}

/** The anchor that GitHub gives a heading of one word. */
function slug(name: string): string {
  return name.toLowerCase();
}
