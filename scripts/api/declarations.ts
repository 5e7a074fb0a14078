// What a program can import: the declarations behind the names of an `index.ts`, with their comments, taken from the source
// text. oxc-parser gives the syntax tree. The source spells out every type that a reader needs (`isolatedDeclarations`).
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Class, type Comment, type Directive, parseSync, type Span, type Statement } from 'oxc-parser';

/** A public name, as readers of the reference see it. */
export interface Declaration {
  readonly name: string;
  /** The file that declares it, relative to the root, with slashes. */
  readonly path: string;
  /** Its source text without a body. Several for an overloaded function. */
  readonly signatures: readonly string[];
  /** The text of its comment; empty if it has none. */
  readonly comment: string;
  /** The members of an interface or a class, with those of its bases in this project. */
  readonly members: readonly Member[];
}

export interface Member {
  readonly name: string;
  readonly signature: string;
  readonly comment: string;
  readonly isMethod: boolean;
}

interface SourceText {
  readonly path: string;
  readonly text: string;
  readonly body: readonly (Directive | Statement)[];
  readonly comments: readonly Comment[];
}

interface Found {
  readonly source: SourceText;
  readonly nodes: readonly (Statement | Directive)[];
}

/** Reads the sources below `root`, each once. */
export class Declarations {
  readonly #root: string;
  readonly #sources = new Map<string, SourceText>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The names that a file re-exports, in its order. */
  exportsOf(path: string): string[] {
    return this.#read(path).body.flatMap((node) =>
      node.type === 'ExportNamedDeclaration' ? node.specifiers.map(({ exported }) => nameOf(exported)) : [],
    );
  }

  /** The declaration of a name that a file exports, wherever it is declared. Throws if it cannot be found. */
  declaration(path: string, name: string): Declaration {
    const { source, nodes } = this.#find(path, name);
    const [first] = nodes;
    if (first === undefined) throw new Error(`${name} is not declared in ${source.path}`);
    return {
      name,
      path: source.path,
      signatures: signaturesOf(source, nodes.map(declared)),
      comment: commentBefore(source, first),
      members: this.#membersOf(source, declared(first)).map((member) => constructedAs(name, member)),
    };
  }

  #membersOf(source: SourceText, node: Node): Member[] {
    const own = ownMembers(source, node);
    const inherited = basesOf(node).flatMap((base) => this.#baseMembers(source, base));
    const commented = own.map((member) =>
      member.comment === '' ? { ...member, comment: inherited.find(isNamed(member.name))?.comment ?? '' } : member,
    );
    const isNew = ({ name }: Member) => !own.some(isNamed(name));
    return [...commented, ...inherited.filter(isNew)].filter(({ comment }) => !comment.startsWith('@internal'));
  }

  /** The members of a base that this project declares. A base of the language has none here. */
  #baseMembers(source: SourceText, base: string): Member[] {
    const { source: found, nodes } = this.#find(source.path, base);
    return nodes.flatMap((node) => this.#membersOf(found, declared(node)));
  }

  /** The statements that declare a name, found through imports and re-exports; none for a name of the language. */
  #find(path: string, name: string): Found {
    const source = this.#read(path);
    for (const node of source.body) {
      const from = followed(node, name);
      if (from?.specifier.startsWith('.'))
        return this.#find(posix.join(posix.dirname(path), from.specifier), from.name);
    }
    return { source, nodes: source.body.filter((node) => declaredName(declared(node)) === name) };
  }

  #read(path: string): SourceText {
    const known = this.#sources.get(path);
    if (known !== undefined) return known;
    const text = readFileSync(join(this.#root, path), 'utf8').replaceAll('\r\n', '\n');
    const { program, comments, errors } = parseSync(path, text);
    if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
    const source = { path, text, body: program.body, comments };
    this.#sources.set(path, source);
    return source;
  }
}

type Node = Statement | Directive;

/** The declaration inside an export, or the node itself. */
function declared(node: Node): Node {
  return node.type === 'ExportNamedDeclaration' && node.declaration !== null ? node.declaration : node;
}

function constructedAs(name: string, member: Member): Member {
  return { ...member, signature: member.signature.replace(/^constructor\(/, `new ${name}(`) };
}

function declaredName(node: Node): string | null {
  if (node.type === 'VariableDeclaration') {
    const id = node.declarations[0]?.id;
    return id?.type === 'Identifier' ? id.name : null;
  }
  return 'id' in node && node.id?.type === 'Identifier' ? node.id.name : null;
}

/** Where a name comes from, if this statement imports or re-exports it. */
function followed(node: Node, name: string): { specifier: string; name: string } | null {
  if (node.type === 'ExportNamedDeclaration' && node.source !== null) {
    const specifier = node.specifiers.find(({ exported }) => nameOf(exported) === name);
    return specifier === undefined ? null : { specifier: node.source.value, name: nameOf(specifier.local) };
  }
  if (node.type !== 'ImportDeclaration') return null;
  const specifier = node.specifiers.find(({ local }) => local.name === name);
  if (specifier?.type !== 'ImportSpecifier') return null;
  return { specifier: node.source.value, name: nameOf(specifier.imported) };
}

function nameOf(node: { readonly name: string } | { readonly value: unknown }): string {
  return 'name' in node ? node.name : String(node.value);
}

/** The signatures that callers see: of an overloaded function, only its overloads. */
function signaturesOf(source: SourceText, nodes: readonly Node[]): string[] {
  const overloads = nodes.filter(({ type }) => type === 'TSDeclareFunction');
  return (overloads.length > 0 ? overloads : nodes).map((node) => signatureOf(source, node));
}

function signatureOf(source: SourceText, node: Node): string {
  const until = (end: number | undefined) => source.text.slice(node.start, end ?? node.end).trim();
  switch (node.type) {
    case 'FunctionDeclaration':
      return until(node.body?.start).replace(/^async /, '');
    case 'ClassDeclaration':
    case 'TSInterfaceDeclaration':
      return oneLine(until(node.body.start));
    case 'VariableDeclaration':
      return until(node.declarations[0]?.init?.start).replace(/\s*=$/, '');
    default:
      return until(undefined).replace(/;$/, '');
  }
}

/** The names of what an interface or a class extends or implements. */
function basesOf(node: Node): string[] {
  const bases =
    node.type === 'TSInterfaceDeclaration'
      ? node.extends.map(({ expression }) => expression)
      : node.type === 'ClassDeclaration'
        ? [node.superClass, ...(node.implements ?? []).map(({ expression }) => expression)]
        : [];
  return bases.flatMap((base) => (base?.type === 'Identifier' ? [base.name] : []));
}

function ownMembers(source: SourceText, node: Node): Member[] {
  if (node.type === 'TSInterfaceDeclaration') return node.body.body.map((member) => interfaceMember(source, member));
  return node.type === 'ClassDeclaration' ? classMembers(source, node) : [];
}

function interfaceMember(source: SourceText, node: Span & { readonly type: string }): Member {
  const text = source.text
    .slice(node.start, node.end)
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .replace(/;$/, '');
  const isMethod = node.type === 'TSMethodSignature' || node.type === 'TSCallSignatureDeclaration';
  return { name: memberName(text), signature: oneLine(text), comment: commentBefore(source, node), isMethod };
}

function classMembers(source: SourceText, node: Class): Member[] {
  const overloaded = new Set<string>();
  return node.body.body.flatMap((member): Member[] => {
    if (!('key' in member) || member.key.type === 'PrivateIdentifier') return [];
    if (('override' in member && member.override) || member.static) return [];
    const isMethod = member.type === 'MethodDefinition' || member.type === 'TSAbstractMethodDefinition';
    const end = isMethod ? member.value.body?.start : member.value?.start;
    const text = source.text.slice(member.start, end ?? member.end).replace(/\s*[={;]?\s*$/, '');
    const signature = oneLine(text.replace(/^async /, ''))
      .replace(/^get (\w+)\(\)/, 'readonly $1')
      .replace(/(\w+): ([^,()=]+) = this\.#\w+/g, '$1?: $2'); // a private default means nothing to readers
    const name = memberName(signature);
    const isOverload = isMethod && member.value.body === null;
    if (isOverload) overloaded.add(name);
    else if (overloaded.has(name)) return [];
    const isCalled = isMethod && member.kind === 'method';
    return [{ name, signature, comment: commentBefore(source, member), isMethod: isCalled }];
  });
}

function memberName(signature: string): string {
  return /^(?:readonly )?(?<name>\[[^\]]*\]|\w*)/.exec(signature)?.groups?.name ?? '';
}

function isNamed(name: string): (member: Member) => boolean {
  return (member) => member.name === name;
}

/** Removes the formatter's line breaks, which make no sense in a list. */
function oneLine(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/([(<[]) /g, '$1')
    .replace(/,? ([)>\]])/g, (match, close) => (close === '>' ? match : close))
    .trim();
}

/** The text of the `/** … *\/` right before a node. */
function commentBefore({ text, comments }: SourceText, { start }: Span): string {
  const comment = comments.findLast((each) => each.end <= start && text.slice(each.end, start).trim() === '');
  if (comment?.type !== 'Block' || !comment.value.startsWith('*')) return '';
  return comment.value
    .slice(1)
    .replace(/^[ \t]*\* ?/gm, '')
    .trim();
}
