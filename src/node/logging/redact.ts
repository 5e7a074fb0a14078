const MASK = '********';

/** Names of fields that never show their value, here and one level down. */
const SECRET_FIELDS = ['token', 'authToken', 'clusterToken', 'secret', 'password', 'authorization'];

export const redactPaths: readonly string[] = SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** Takes these very secrets out of any text, wherever they slipped in: an error of a library, a command line, a URL. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret.length > 0)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const distinct = [...new Set(forms)];
  return (text) => distinct.reduce((rest, form) => (rest.includes(form) ? rest.replaceAll(form, MASK) : rest), text);
}
