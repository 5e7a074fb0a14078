/** The names of the members of an options type, all of them: the compiler compares. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true };

/** Which argument of a method is its options, and what they may hold. */
interface OptionsArgument {
  readonly at: number;
  readonly known: object;
  /** Whether a mistake is told by a rejected promise, as by every method that gives one. */
  readonly isRejecting: boolean;
}

/** Of a method that gives a promise. */
export function rejecting(at: number, known: object): OptionsArgument {
  return { at, known, isRejecting: true };
}

/** Of a method that gives anything else. */
export function throwing(at: number, known: object): OptionsArgument {
  return { at, known, isRejecting: false };
}

/**
 * Lets methods of a class refuse options that are none, or hold what nobody knows, before they do anything. Once, where the class is
 * made: a check in each method would be forgotten in the next one.
 */
export function guardMethods<T extends object>(
  prototype: T,
  methods: { readonly [Name in keyof T]?: OptionsArgument },
): void {
  for (const [name, { at, known, isRejecting }] of Object.entries(methods) as [string, OptionsArgument][])
    guard(prototype, name, isRejecting, (args) => mistakeIn(args[at], name, known));
}

/**
 * Lets methods whose first argument is called refuse what is no function, before they do anything: kept as a listener, it would fail in
 * the middle of other work.
 */
export function guardCallers<T extends object>(
  prototype: T,
  methods: { readonly [Name in keyof T]?: 'rejects' | 'throws' },
): void {
  for (const [name, how] of Object.entries(methods))
    guard(prototype, name, how === 'rejects', ([called]) =>
      typeof called === 'function'
        ? undefined
        : new TypeError(`${name} wants a function to call, not ${shown(called)}`),
    );
}

function guard(
  prototype: object,
  name: string,
  isRejecting: boolean,
  mistakeOf: (args: readonly unknown[]) => TypeError | undefined,
): void {
  const method = (prototype as Record<string, (...args: unknown[]) => unknown>)[name]!;
  const guarded = {
    [name](this: object, ...args: unknown[]): unknown {
      const mistake = mistakeOf(args);
      if (mistake === undefined) return method.apply(this, args);
      if (isRejecting) return Promise.reject(mistake);
      throw mistake;
    },
  };
  Object.defineProperty(prototype, name, { value: guarded[name], writable: true, configurable: true });
}

/** The same for a function by itself. Throws TypeError. */
export function checkOptions(options: unknown, of: string, known: object): void {
  const mistake = mistakeIn(options, of, known);
  if (mistake !== undefined) throw mistake;
}

/**
 * What is no options object, members that are misspelt, and a signal or listener that is none. Passed over, they would let a write with
 * a misspelt `ifVersion` replace whatever is there.
 */
function mistakeIn(options: unknown, of: string, known: object): TypeError | undefined {
  if (options === undefined) return undefined;
  if (!isObject(options) || isSignal(options)) return noOptions(options, of, known);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) return unknownMember(name, of, known);
    if (value === undefined) continue;
    if (name === 'signal' && !isSignal(value))
      return new TypeError(`the signal of ${of} is ${shown(value)}; give that of an AbortController, or none`);
    if (/^on[A-Z]/.test(name) && typeof value !== 'function')
      return new TypeError(`${name} of ${of} is ${shown(value)}; give a function, or none`);
  }
  return undefined;
}

function unknownMember(name: string, of: string, known: object): TypeError {
  const names = Object.keys(known).join(', ');
  return new TypeError(`the options of ${of} hold the unknown ${JSON.stringify(name)}; known: ${names}`);
}

function noOptions(options: unknown, of: string, known: object): TypeError {
  const [example] = isSignal(options) ? ['signal'] : Object.keys(known);
  return new TypeError(
    `the options of ${of} are ${shown(options)}; write an object such as { ${example}: … }, or leave them out`,
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** By what is done with it, so that one of another realm, or of another library, is one too. */
function isSignal(value: unknown): boolean {
  return isObject(value) && 'aborted' in value && 'addEventListener' in value;
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'an array' : isSignal(value) ? 'an AbortSignal' : 'an object';
  return typeof value === 'string' ? JSON.stringify(value) : typeof value === 'function' ? 'a function' : String(value);
}
