import path from "node:path";

/**
 * `$RAMET_HOME`, else `/var/lib/ramet` for root, else `~/.ramet`. Plain JavaScript: `start.js` asks before anything is compiled.
 * @param {import("./home.ts").Surroundings} surroundings
 * @returns {string}
 */
export function findHomeFolder({ environment, uid, userHome }) {
  const chosen = environment["RAMET_HOME"];
  if (chosen !== undefined && chosen !== "") return path.resolve(chosen);
  return uid === 0 ? "/var/lib/ramet" : path.join(userHome, ".ramet");
}
