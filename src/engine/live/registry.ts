import { findNearest } from "../../base/nearest.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import { DEVELOPMENT } from "../../environment/name.ts";
import type { AppName } from "../../environment/name.ts";
import { appUnknown, developmentNeeded, environmentUnknown } from "../../environment/problems.ts";
import type { AppRecord } from "../home/records.ts";
import type { LiveEnvironment } from "./live-environment.ts";

/** An app as it is listed. */
export type App = {
  readonly name: string;
  readonly environments: string[];
  readonly createdAt: string;
};

/** The apps and environments that there are, as the records say. */
export class Registry {
  readonly #apps = new Map<AppName, AppRecord>();
  readonly #environments = new Map<EnvironmentId, LiveEnvironment>();

  addApp(app: AppRecord): void {
    this.#apps.set(app.name, app);
  }

  removeApp(app: AppName): void {
    this.#apps.delete(app);
  }

  add(live: LiveEnvironment): void {
    this.#environments.set(live.record.id, live);
  }

  remove(live: LiveEnvironment): void {
    this.#environments.delete(live.record.id);
  }

  findApp(name: AppName): AppRecord | undefined {
    return this.#apps.get(name);
  }

  /** In any order, and without a copy. */
  all(): Iterable<LiveEnvironment> {
    return this.#environments.values();
  }

  /** Of one app or of all, in the order in which they were made. */
  list(app: AppName | null): readonly LiveEnvironment[] {
    return [...this.#environments.values()]
      .filter(({ record }) => app === null || record.app === app)
      .toSorted((a, b) => a.record.createdAt.localeCompare(b.record.createdAt));
  }

  /** The names of other environments that run on the same folder. */
  listSharing(live: LiveEnvironment): readonly string[] {
    const { path } = live.record.files;
    const others = this.list(null).filter((other) => other !== live);
    return others.flatMap(({ record }) => (record.files.path === path ? [record.name] : []));
  }

  /** The folders that apps were made from. */
  appFolders(): readonly string[] {
    return [...this.#apps.values()].map(({ folder }) => folder);
  }

  apps(): readonly App[] {
    return [...this.#apps.values()].map(({ name, createdAt }) => ({
      name,
      createdAt,
      environments: this.list(name).map(({ record }) => record.name),
    }));
  }

  find(app: string, name: string): LiveEnvironment | undefined {
    for (const live of this.all())
      if (live.record.app === app && live.record.name === name) return live;
    return undefined;
  }

  findById(id: string): LiveEnvironment | undefined {
    for (const live of this.all()) if (live.record.id === id) return live;
    return undefined;
  }

  /** @throws `app_unknown`, `environment_unknown`, with the nearest name. */
  require(app: string, name: string): LiveEnvironment {
    const known = this.requireApp(app);
    const live = this.find(known, name);
    if (live !== undefined) return live;
    const names = this.list(known).map(({ record }) => record.name);
    throw environmentUnknown(known, name, findNearest(name, names));
  }

  /** @throws `environment_needed` for the one that all others of its app came from */
  assertNotNeeded({ record: { app, name } }: LiveEnvironment): void {
    const names = this.list(app).map(({ record }) => record.name);
    const others = names.filter((other) => other !== name);
    if (name === DEVELOPMENT && others.length > 0) throw developmentNeeded(app, others);
  }

  /** @throws `app_unknown` */
  requireApp(app: string): AppName {
    const known = [...this.#apps.keys()].find((name) => name === app);
    if (known === undefined) throw appUnknown(app, findNearest(app, this.#apps.keys()));
    return known;
  }
}
