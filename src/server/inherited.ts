/** What of the server's own environment its children may see: where things are, how to speak, how to reach out. */
const ALLOWED = new Set([
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "TZ",
  "TMPDIR",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "npm_config_registry",
  "npm_config_userconfig",
  "npm_config_cache",
]);

export function listInherited(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && (ALLOWED.has(name) || name.startsWith("LC_"))
      ? [[name, value] as const]
      : [],
  );
  return Object.fromEntries(entries);
}
