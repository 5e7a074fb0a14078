import { LIMITS } from '../config/index.ts';
import { hasHalfPair, jsonProblem } from '../document/index.ts';
import { at, FIELD_OPERATORS, invalidFilter, TOP_OPERATORS, unknownOperator, wrongOperand } from './invalid-filter.ts';
import { allOf, anyOf } from './join-equalities.ts';
import { isItemsStep, parsePath } from './path.ts';
import type { Filter, Path, Scalar } from './query.ts';
import { compileRegex, RegexError } from './regex/index.ts';
import { searchWordsOf } from './words.ts';

type FieldOperator = keyof typeof FIELD_OPERATORS;
type TopOperator = keyof typeof TOP_OPERATORS;

/**
 * Parses a user's filter object into the tree that stores evaluate. Undefined or {}: every document.
 *
 * Shape: `{ path: operand }` asks for equality, `{ path: { $op: operand, … } }` for all of these operators; a filter with
 * several members asks for all of them. `$and`, `$or` and `$not` combine whole filters. A step of a path that ends in `[]`
 * means one of the items of an array. Semantics: docs/guide/queries.md.
 *
 * Throws PERSISTENCE_ERROR / INVALID_FILTER for an unknown operator, a wrong operand, or a filter beyond filterDepthMax or
 * filterTermsMax.
 */
export function parseFilter(filter: unknown): Filter {
  return filter === undefined ? { kind: 'all' } : new FilterParser().filter(filter, '', 0);
}

/** Counts terms while parsing, so that a filter from outside cannot become expensive. */
class FilterParser {
  #terms = 0;

  filter(filter: unknown, operator: string, depth: number): Filter {
    if (!isObject(filter)) {
      if (operator === '') throw invalidFilter('the filter is not an object such as { "age": { "$gt": 18 } }');
      throw wrongOperand(operator, '', 'filters, which are objects', filter);
    }
    if (depth > LIMITS.filterDepthMax) {
      throw invalidFilter(`the filter is nested deeper than ${LIMITS.filterDepthMax} levels (Limits.filterDepthMax)`);
    }
    const members = Object.entries(filter);
    // An empty filter counts too, or thousands of them would be free.
    if (members.length === 0) this.#count(1);
    return allOf(members.map(([name, operand]) => this.#member(name, operand, depth)));
  }

  #member(name: string, operand: unknown, depth: number): Filter {
    if (name.startsWith('$')) return this.#combine(name, operand, depth);
    if (isOperators(operand)) return this.#operators(name, operand, depth);
    this.#count(1);
    const value = checkOperand('$eq', name, operand);
    return leaf(name, (path) => ({ kind: 'eq', path, value }));
  }

  #combine(name: string, operand: unknown, depth: number): Filter {
    if (!Object.hasOwn(TOP_OPERATORS, name)) throw unknownOperator(name, '', Object.keys(TOP_OPERATORS));
    const operator = name as TopOperator;
    if (operator === '$not') return { kind: 'not', filter: this.filter(operand, name, depth + 1) };
    if (operator === '$text') return this.#textOn(operand);
    if (!Array.isArray(operand) || operand.length === 0) {
      throw wrongOperand(name, '', TOP_OPERATORS[operator], operand);
    }
    const filters = operand.map((part) => this.filter(part, name, depth + 1));
    return operator === '$and' ? allOf(filters) : anyOf(filters);
  }

  #textOn(operand: unknown): Filter {
    if (!isObject(operand) || !Array.isArray(operand.on) || operand.on.length === 0) {
      throw wrongOperand('$text', '', TOP_OPERATORS.$text, operand);
    }
    this.#count(operand.on.length);
    const paths = operand.on.map((name) => {
      if (typeof name !== 'string') throw wrongOperand('$text', '', TOP_OPERATORS.$text, name);
      return toPath(name);
    });
    return { kind: 'words', paths, words: this.#words(undefined, operand.words) };
  }

  #operators(name: FieldName, operators: Operators, depth: number): Filter {
    if (depth > LIMITS.filterDepthMax) {
      throw invalidFilter(`the filter is nested deeper than ${LIMITS.filterDepthMax} levels (Limits.filterDepthMax)`);
    }
    const filters = Object.entries(operators).flatMap(([operator, operand]) => {
      if (!LISTS.has(operator) || !Array.isArray(operand) || operand.length === 0) this.#count(1);
      if (!Object.hasOwn(FIELD_OPERATORS, operator)) {
        throw unknownOperator(operator, name, Object.keys(FIELD_OPERATORS));
      }
      if (operator === '$options' && Object.hasOwn(operators, '$regex')) return [];
      return [this.#operator(operator as FieldOperator, name, operand, depth, operators)];
    });
    return allOf(filters);
  }

  #operator(operator: FieldOperator, name: FieldName, operand: unknown, depth: number, beside: Operators): Filter {
    switch (operator) {
      case '$ne':
        return not(this.#operator('$eq', name, operand, depth, beside));
      case '$nin':
        return not(this.#in(operator, name, operand));
      case '$in':
        return this.#in(operator, name, operand);
      case '$not':
        if (!isObject(operand)) throw wrongOperand(operator, name, FIELD_OPERATORS[operator], operand);
        return not(this.#operators(name, operand, depth + 1));
      case '$exists': {
        if (typeof operand !== 'boolean') throw wrongOperand(operator, name, FIELD_OPERATORS[operator], operand);
        const exists = leaf(name, (path) => ({ kind: 'exists', path }));
        return operand ? exists : not(exists);
      }
      case '$elemMatch': {
        const filter = this.#ofItem(name, operand, depth + 1);
        return leaf(name, (path) => ({ kind: 'elem', path, filter }));
      }
      case '$all':
        return allOf(
          this.#all(name, operand).map((value) =>
            leaf(name, (path) => ({ kind: 'elem', path, filter: { kind: 'eq', path: [], value } })),
          ),
        );
      case '$text': {
        const words = this.#words(name, operand);
        return leaf(name, (path) => ({ kind: 'words', paths: [path], words }));
      }
      case '$regex':
        return regexOn(name, operand, beside.$options);
      case '$options':
        throw wrongOperand(operator, name, 'a $regex beside it', operand);
      default:
        return plainLeaf(operator, name, operand);
    }
  }

  #in(operator: '$in' | '$nin', name: FieldName, operand: unknown): Filter {
    const values = this.#values(operator, name, operand);
    return leaf(name, (path) => ({ kind: 'in', path, values }));
  }

  /** Operators test the item itself; anything else is a filter on its members. */
  #ofItem(name: FieldName, operand: unknown, depth: number): Filter {
    if (!isObject(operand)) throw wrongOperand('$elemMatch', name, FIELD_OPERATORS.$elemMatch, operand);
    const isAboutItem = Object.keys(operand).some(
      (key) => Object.hasOwn(FIELD_OPERATORS, key) && !Object.hasOwn(TOP_OPERATORS, key),
    );
    return isAboutItem ? this.#operators(undefined, operand, depth) : this.filter(operand, '$elemMatch', depth);
  }

  #words(name: FieldName, operand: unknown) {
    if (typeof operand !== 'string') throw wrongOperand('$text', name, FIELD_OPERATORS.$text, operand);
    const words = searchWordsOf(operand);
    this.#count(words.length);
    if (words.length > 0) return words;
    throw invalidFilter(`the filter's $text${at(name)} holds no word: letters or digits`, { path: name });
  }

  #all(name: FieldName, operand: unknown): readonly unknown[] {
    const values = this.#values('$all', name, operand);
    if (values.length === 0) throw wrongOperand('$all', name, FIELD_OPERATORS.$all, operand);
    return values;
  }

  #values(operator: '$in' | '$nin' | '$all', name: FieldName, operand: unknown): readonly unknown[] {
    if (!Array.isArray(operand)) throw wrongOperand(operator, name, FIELD_OPERATORS[operator], operand);
    this.#count(operand.length);
    return Array.from(operand, (value) => checkOperand(operator, name, value));
  }

  #count(terms: number): void {
    this.#terms += terms;
    if (this.#terms > LIMITS.filterTermsMax) {
      throw invalidFilter(
        `the filter has more than ${LIMITS.filterTermsMax} comparisons, each value of a list counted (filterTermsMax); ask in several queries`,
      );
    }
  }
}

/** Operators whose operand is a list: each of its values counts as a term. */
const LISTS: ReadonlySet<string> = new Set(['$in', '$nin', '$all']);

/** A path as the user wrote it; undefined: the item that `$elemMatch` tests. */
type FieldName = string | undefined;
type Operators = Readonly<Record<string, unknown>>;

/** Operators that need nothing but their operand. */
function plainLeaf(
  operator: Exclude<
    FieldOperator,
    '$ne' | '$in' | '$nin' | '$not' | '$exists' | '$elemMatch' | '$all' | '$text' | '$regex' | '$options'
  >,
  name: FieldName,
  operand: unknown,
): Filter {
  switch (operator) {
    case '$eq':
    case '$contains': {
      const value = checkOperand(operator, name, operand);
      return leaf(name, (path) => ({ kind: operator === '$eq' ? 'eq' : 'contains', path, value }));
    }
    case '$startsWith':
    case '$endsWith': {
      if (typeof operand !== 'string') throw wrongOperand(operator, name, FIELD_OPERATORS[operator], operand);
      const value = checkOperand(operator, name, operand) as string;
      return leaf(name, (path) => ({ kind: operator === '$startsWith' ? 'starts' : 'ends', path, value }));
    }
    case '$size': {
      if (!Number.isSafeInteger(operand) || (operand as number) < 0) {
        throw wrongOperand(operator, name, FIELD_OPERATORS[operator], operand);
      }
      return leaf(name, (path) => ({ kind: 'size', path, value: operand as number }));
    }
    default: {
      const value = checkScalar(operator, name, operand);
      return leaf(name, (path) => ({ kind: RANGES[operator], path, value }));
    }
  }
}

function regexOn(name: FieldName, operand: unknown, options: unknown): Filter {
  const isNative = operand instanceof RegExp;
  if (!isNative && typeof operand !== 'string') throw wrongOperand('$regex', name, FIELD_OPERATORS.$regex, operand);
  if (options !== undefined && typeof options !== 'string') {
    throw wrongOperand('$options', name, FIELD_OPERATORS.$options, options);
  }
  const pattern = isNative ? operand.source : operand;
  try {
    // Flags that do not decide whether a text fits are ignored.
    const program = compileRegex(pattern, options ?? (isNative ? operand.flags.replace(/[dguvy]/g, '') : ''));
    return leaf(name, (path) => ({ kind: 'regex', path, program }));
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw invalidFilter(`the filter's $regex${at(name)} ${error.message}`, { operator: '$regex', path: name });
  }
}

function not(filter: Filter): Filter {
  return { kind: 'not', filter };
}

/** A filter on a path, wrapped in an `elem` for each array that the path leads through. */
function leaf(name: FieldName, make: (path: Path) => Filter): Filter {
  if (name === undefined) return make([]);
  const path = toPath(name);
  const filterFrom = (from: number): Filter => {
    const array = path.findIndex((step, i) => i >= from && isItemsStep(step));
    if (array < 0) return make(path.slice(from));
    const held = [...path.slice(from, array), path[array]!.slice(0, -2)];
    return { kind: 'elem', path: held, filter: filterFrom(array + 1) };
  };
  return filterFrom(0);
}

const RANGES = { $gt: 'gt', $gte: 'gte', $lt: 'lt', $lte: 'lte' } as const;

/** The steps of a path, at most filterDepthMax. Throws INVALID_FILTER. */
export function toPath(name: string): Path {
  const path = parsePath(name);
  if (path.length > LIMITS.filterDepthMax) {
    throw invalidFilter(`the path${at(name)} has more than ${LIMITS.filterDepthMax} steps (Limits.filterDepthMax)`);
  }
  if (!name.isWellFormed()) throw invalidFilter(`the path${at(name)} holds half of a surrogate pair`, { path: name });
  return path;
}

function checkOperand(operator: FieldOperator, name: FieldName, operand: unknown): unknown {
  const problem = jsonProblem(operand, LIMITS.documentDepthMax);
  const what = problem?.what ?? (hasHalfPair(operand) ? 'holds half of a surrogate pair' : undefined);
  if (what === undefined) return operand;
  throw invalidFilter(`the filter's operand of ${operator}${at(name)} ${what}`, { operator, path: name });
}

function checkScalar(operator: FieldOperator, name: FieldName, operand: unknown): Scalar {
  if (typeof operand !== 'number' && typeof operand !== 'string' && typeof operand !== 'boolean') {
    throw wrongOperand(operator, name, FIELD_OPERATORS[operator], operand);
  }
  return checkOperand(operator, name, operand) as Scalar;
}

function isOperators(operand: unknown): operand is Operators {
  return isObject(operand) && Object.keys(operand).some((key) => key.startsWith('$'));
}

/** Refuses a Map, for example: it has no own members, so it would pass for a filter that everything fits. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}
