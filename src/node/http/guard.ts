import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../config/index.ts';

/** Who may talk to the server. Every route except `/health/live` is checked. */
export interface GuardOptions {
  /** Each of them gives full access. They always include the secret of this start. Without `isTokenRequired` none is needed. */
  readonly tokens: readonly string[];
  /** True when a bearer token is configured. */
  readonly isTokenRequired: boolean;
}

/** Undefined if the request may pass; otherwise the status and what to do. */
export type Refusal = { readonly status: 401 | 403; readonly message: string } | undefined;

/**
 * Without a token the server listens on loopback only, and then:
 * - `Host` must name loopback: a page whose name was made to resolve to 127.0.0.1 (DNS rebinding) sends its own name;
 * - a browser must come from exactly the same origin; other programs send no `Origin`.
 * A token that is sent must be right even if none is required, so that a client never talks to the wrong node unnoticed.
 */
export function checkAccess(headers: IncomingHttpHeaders, options: GuardOptions): Refusal {
  return (
    checkOrigin(headers) ?? checkToken(headers, options) ?? (options.isTokenRequired ? undefined : checkHost(headers))
  );
}

function checkHost({ host }: IncomingHttpHeaders): Refusal {
  const name = /^(\[[^\]]+\]|[^:]+)(?::\d+)?$/.exec(host ?? '')?.[1];
  if (name !== undefined && isLoopback(name)) return undefined;
  return {
    status: 403,
    message: 'this node answers requests to localhost only; use http://127.0.0.1, or configure Http.TokenFile',
  };
}

function checkOrigin(headers: IncomingHttpHeaders): Refusal {
  const { origin, host } = headers;
  const isForeign = origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
  if (!isForeign && headers['sec-fetch-site'] !== 'cross-site') return undefined;
  return { status: 403, message: 'this node does not answer pages of other sites; open its own address' };
}

function checkToken({ authorization }: IncomingHttpHeaders, { tokens, isTokenRequired }: GuardOptions): Refusal {
  if (authorization === undefined && !isTokenRequired) return undefined;
  const sent = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
  if (sent !== undefined && isOneOf(sent.trim(), tokens)) return undefined;
  const problem = sent === undefined ? 'a bearer token is needed' : 'this bearer token is not the one of this node';
  return { status: 401, message: `${problem}; send "Authorization: Bearer <token>" with the token of Http.TokenFile` };
}

/** Compares the digest with that of every token, so that the time reveals nothing about where a guess is wrong. */
function isOneOf(sent: string, tokens: readonly string[]): boolean {
  const digest = sha256(sent);
  return tokens.map((token) => timingSafeEqual(digest, sha256(token))).includes(true);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
