/** Where a value came from. Stronger sources override weaker ones, in this order. */
export type ConfigSource =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'options' }
  | { readonly kind: 'flag'; readonly name: string };

/** The source in words: "the default", "appsettings.json", "environment variable EntglDb__Network__TcpPort", "flag --tcp-port". */
export function sourceText(source: ConfigSource): string {
  switch (source.kind) {
    case 'default':
      return 'the default';
    case 'file':
      return source.path;
    case 'environment':
      return `environment variable ${source.name}`;
    case 'options':
      return 'the options given in code';
    case 'flag':
      return `flag ${source.name}`;
    default:
      return source satisfies never;
  }
}

/** A raw value for a key, before it is parsed. */
export interface RawValue {
  /** Canonical name of the key. */
  readonly key: string;
  readonly raw: unknown;
  readonly source: ConfigSource;
}

/** An unknown key. It causes only a warning, because a settings file may be newer than the program. */
export interface UnknownKey {
  readonly key: string;
  readonly nearest: string | undefined;
  readonly source: ConfigSource;
}

/** The content of one source. */
export interface Layer {
  readonly values: readonly RawValue[];
  readonly unknown: readonly UnknownKey[];
}
