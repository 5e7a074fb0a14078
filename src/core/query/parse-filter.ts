import { LIMITS } from '../config/index.ts';
import { hasHalfPair, jsonProblem } from '../document/index.ts';
import { at, FIELD_OPERATORS, invalidFilter, TOP_OPERATORS, unknownOperator, wrongOperand } from './invalid-filter.ts';
import { parsePath } from './path.ts';
import type { Filter, Path, Scalar } from './query.ts';

type FieldOperator = keyof typeof FIELD_OPERATORS;
type TopOperator = keyof typeof TOP_OPERATORS;

/**
 * Parses a user's filter object into the tree that stores evaluate. Undefined or {}: every document.
 *
 * Shape: `{ path: operand }` is equality, `{ path: { $op: operand, … } }` all of these; several members are all of them.
 * `$and`, `$or` and `$not` combine whole filters. Semantics: docs/guide/queries.md.
 *
 * Throws PERSISTENCE_ERROR / INVALID_FILTER: for an unknown operator, a wrong operand, or one of the bounds filterDepthMax
 * and filterTermsMax.
 */
export function parseFilter(filter: unknown): Filter {
  return filter === undefined ? { kind: 'all' } : new FilterParser().filter(filter, '', 0);
}

/** Counts terms while it goes, so that a filter from outside cannot become expensive. */
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
    return allOf(Object.entries(filter).map(([name, operand]) => this.#member(name, operand, depth)));
  }

  #member(name: string, operand: unknown, depth: number): Filter {
    this.#count(1);
    if (name.startsWith('$')) return this.#combine(name, operand, depth);
    const path = toPath(name);
    if (isObject(operand) && Object.keys(operand).some((key) => key.startsWith('$'))) {
      return this.#operators(path, name, operand, depth);
    }
    return { kind: 'eq', path, value: checkOperand('$eq', name, operand) };
  }

  #combine(name: string, operand: unknown, depth: number): Filter {
    if (!Object.hasOwn(TOP_OPERATORS, name)) throw unknownOperator(name, '', Object.keys(TOP_OPERATORS));
    const operator = name as TopOperator;
    if (operator === '$not') return { kind: 'not', filter: this.filter(operand, name, depth + 1) };
    if (!Array.isArray(operand) || operand.length === 0) {
      throw wrongOperand(name, '', TOP_OPERATORS[operator], operand);
    }
    const filters = operand.map((part) => this.filter(part, name, depth + 1));
    return operator === '$and' ? allOf(filters) : { kind: 'or', filters };
  }

  #operators(path: Path, name: string, operators: Readonly<Record<string, unknown>>, depth: number): Filter {
    if (depth > LIMITS.filterDepthMax) {
      throw invalidFilter(`the filter is nested deeper than ${LIMITS.filterDepthMax} levels (Limits.filterDepthMax)`);
    }
    const filters = Object.entries(operators).map(([operator, operand]) => {
      this.#count(1);
      if (!Object.hasOwn(FIELD_OPERATORS, operator)) {
        throw unknownOperator(operator, name, Object.keys(FIELD_OPERATORS));
      }
      return this.#operator(operator as FieldOperator, path, name, operand, depth);
    });
    return allOf(filters);
  }

  #operator(operator: FieldOperator, path: Path, name: string, operand: unknown, depth: number): Filter {
    switch (operator) {
      case '$eq':
        return { kind: 'eq', path, value: checkOperand(operator, name, operand) };
      case '$ne':
        return { kind: 'not', filter: { kind: 'eq', path, value: checkOperand(operator, name, operand) } };
      case '$in':
        return { kind: 'in', path, values: this.#values(operator, name, operand) };
      case '$nin':
        return { kind: 'not', filter: { kind: 'in', path, values: this.#values(operator, name, operand) } };
      case '$exists':
        if (typeof operand !== 'boolean') throw wrongOperand(operator, name, FIELD_OPERATORS[operator], operand);
        return operand ? { kind: 'exists', path } : { kind: 'not', filter: { kind: 'exists', path } };
      case '$not':
        if (!isObject(operand)) throw wrongOperand(operator, name, FIELD_OPERATORS[operator], operand);
        return { kind: 'not', filter: this.#operators(path, name, operand, depth + 1) };
      default:
        return { kind: RANGES[operator], path, value: checkScalar(operator, name, operand) };
    }
  }

  #values(operator: '$in' | '$nin', name: string, operand: unknown): readonly unknown[] {
    if (!Array.isArray(operand)) throw wrongOperand(operator, name, FIELD_OPERATORS[operator], operand);
    this.#count(operand.length);
    return Array.from(operand, (value) => checkOperand(operator, name, value));
  }

  #count(terms: number): void {
    this.#terms += terms;
    if (this.#terms > LIMITS.filterTermsMax) {
      throw invalidFilter(
        `the filter has more than ${LIMITS.filterTermsMax} operators and values (Limits.filterTermsMax)`,
      );
    }
  }
}

const RANGES = { $gt: 'gt', $gte: 'gte', $lt: 'lt', $lte: 'lte' } as const;

function allOf(filters: readonly Filter[]): Filter {
  if (filters.length === 0) return { kind: 'all' };
  return filters.length === 1 ? filters[0]! : { kind: 'and', filters };
}

/** The steps of a path, of which there may be as many as levels in a filter. Throws INVALID_FILTER. */
export function toPath(name: string): Path {
  const path = parsePath(name);
  if (path.length > LIMITS.filterDepthMax) {
    throw invalidFilter(`the path${at(name)} has more than ${LIMITS.filterDepthMax} steps (Limits.filterDepthMax)`);
  }
  if (!name.isWellFormed()) throw invalidFilter(`the path${at(name)} holds half of a surrogate pair`, { path: name });
  return path;
}

function checkOperand(operator: FieldOperator, name: string, operand: unknown): unknown {
  const problem = jsonProblem(operand, LIMITS.documentDepthMax);
  const what = problem?.what ?? (hasHalfPair(operand) ? 'holds half of a surrogate pair' : undefined);
  if (what === undefined) return operand;
  throw invalidFilter(`the filter's operand of ${operator}${at(name)} ${what}`, { operator, path: name });
}

function checkScalar(operator: FieldOperator, name: string, operand: unknown): Scalar {
  if (typeof operand !== 'number' && typeof operand !== 'string' && typeof operand !== 'boolean') {
    throw wrongOperand(operator, name, FIELD_OPERATORS[operator], operand);
  }
  return checkOperand(operator, name, operand) as Scalar;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
