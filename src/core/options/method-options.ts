/** All member names of an options type; the compiler checks that none is missing. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true };

/** Which argument of a method is its options, and which members they may have. */
interface OptionsArgument {
  readonly at: number;
  readonly known: object;
  /** Whether a mistake rejects the returned promise instead of throwing. */
  readonly isRejecting: boolean;
}

/** For a method that returns a promise. */
export function rejecting(at: number, known: object): OptionsArgument {
  return { at, known, isRejecting: true };
}

/** For a method that returns anything else. */
export function throwing(at: number, known: object): OptionsArgument {
  return { at, known, isRejecting: false };
}

/**
 * Makes methods of a class refuse invalid options, and options with unknown members, before they do anything. This is done once
 * for the whole class, because a check in each method would be forgotten in the next one.
 */
export function guardMethods<T extends object>(
  prototype: T,
  methods: { readonly [Name in keyof T]?: OptionsArgument },
): void {
  for (const [name, { at, known, isRejecting }] of Object.entries(methods) as [string, OptionsArgument][])
    guard(prototype, name, isRejecting, (args) => mistakeIn(args[at], name, known));
}

/**
 * Makes methods that call their first argument refuse anything but a function, before they do anything: as a listener, it would
 * fail later, in the middle of other work.
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

/** Checks the options of a function. Throws a TypeError. */
export function checkOptions(options: unknown, of: string, known: object): void {
  const mistake = mistakeIn(options, of, known);
  if (mistake !== undefined) throw mistake;
}

/**
 * The error for options that are no object, that have unknown members, or whose signal or listener is invalid. If unknown members
 * were ignored, a write with a misspelt `ifVersion` would replace whatever is there.
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

/** Recognised by the members that are used, so signals of other realms and libraries are accepted. */
function isSignal(value: unknown): boolean {
  return isObject(value) && 'aborted' in value && 'addEventListener' in value;
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'an array' : isSignal(value) ? 'an AbortSignal' : 'an object';
  return typeof value === 'string' ? JSON.stringify(value) : typeof value === 'function' ? 'a function' : String(value);
}
