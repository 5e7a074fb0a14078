const MASK = '********';

/** Fields whose value is masked, at the top and up to two levels down. */
const SECRET_FIELDS = ['token', 'authToken', 'clusterToken', 'secret', 'password', 'authorization'];

export const redactPaths: readonly string[] = SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** Masks these secrets in any text, wherever they slipped in: an error of a library, a command line, a URL. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret.length > 0)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const distinct = [...new Set(forms)];
  return (text) => distinct.reduce((rest, form) => (rest.includes(form) ? rest.replaceAll(form, MASK) : rest), text);
}
