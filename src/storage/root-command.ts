/** How root does it for this home, whoever's it is. */
export function formatRootCommand(home: string, command: string): string {
  return home === "/var/lib/ramet"
    ? `sudo ramet server storage ${command}`
    : `sudo RAMET_HOME=${home} "$(command -v ramet)" server storage ${command}`;
}
