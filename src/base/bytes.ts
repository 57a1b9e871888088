/** For people: `640 kB`, `12 MB`, `1.3 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.ceil(bytes / 1e6)} MB`;
  return `${Math.ceil(bytes / 1e3)} kB`;
}
