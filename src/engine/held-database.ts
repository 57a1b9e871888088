import { waitFor } from "../base/clock.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import { messageOf } from "../base/problem.ts";
import {
  isDatabaseRunning,
  startDatabase,
  stopDatabase,
  tidyDatabase,
} from "../database/database.ts";
import type { Database } from "../database/database.ts";
import type { DatabaseRecord, EnvironmentRecord } from "../environment/environment.ts";
import type { EngineContext } from "./context.ts";
import { makeDatabaseSocketFolder } from "./layout.ts";
import type { KnownManifest } from "./manifests.ts";

/** Longer than a fork of any database takes that is copied byte by byte. */
const RELEASE_LIMIT_MS = 10 * 60_000;

/** null: it has no database. */
export function findHeldDatabase(
  context: EngineContext,
  owner: Pick<EnvironmentRecord, "id" | "uid" | "database">,
  manifests: KnownManifest,
): HeldDatabase | null {
  const { database: record } = owner;
  return record === null ? null : new HeldDatabase(context, owner, { record, manifests });
}

/** An environment's database as the engine holds it: started when it is needed, and not stopped while someone works with it. */
export class HeldDatabase {
  readonly #context: EngineContext;
  readonly #owner: Pick<EnvironmentRecord, "id" | "uid">;
  readonly #database: Database;
  readonly #manifests: KnownManifest;
  readonly #starting = new KeyedLock();
  #holds = 0;
  #tidying: { readonly stop: AbortController; readonly ended: Promise<void> } | null = null;

  constructor(
    context: EngineContext,
    owner: Pick<EnvironmentRecord, "id" | "uid">,
    { record, manifests }: { readonly record: DatabaseRecord; readonly manifests: KnownManifest },
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#manifests = manifests;
    this.#database = { place: context.layout.databasePlace(owner), record };
  }

  isHeld(): boolean {
    return this.#holds > 0;
  }

  async isRunning(): Promise<boolean> {
    return isDatabaseRunning(this.#database.place);
  }

  /** Resolves at once where it runs. */
  async start(): Promise<void> {
    await this.#starting.run("", async () => {
      if (await this.isRunning()) return;
      this.#tidying?.stop.abort();
      await makeDatabaseSocketFolder(this.#context.layout, this.#owner);
      const programs = await this.#context.postgres.forRecord(this.#database.record);
      const { limits } = await this.#manifests.recallGrants();
      await startDatabase({ programs }, { ...this.#database.place, limits });
    });
  }

  async stop(): Promise<void> {
    await stopDatabase(this.#database.place);
  }

  /** It has come to rest: what its writes have scattered is mended behind everyone's back, until it is needed again. */
  tidy(): void {
    const stop = new AbortController();
    const ended = tidyDatabase(this.#database.place, stop.signal).then(
      () => undefined,
      (error: unknown) => {
        if (!stop.signal.aborted) this.#context.log(`${this.#owner.id}: ${messageOf(error)}`);
      },
    );
    this.#tidying = { stop, ended };
  }

  /** Works with it while it runs. */
  async hold<T>(work: (database: Database) => Promise<T>): Promise<T> {
    this.#holds += 1;
    try {
      await this.start();
      return await work(this.#database);
    } finally {
      this.#holds -= 1;
    }
  }

  /** Waits until nobody works with it: one that is being forked must not be stopped. */
  async released(): Promise<void> {
    this.#tidying?.stop.abort();
    await this.#tidying?.ended;
    await waitFor(() => (this.#holds === 0 ? true : undefined), { timeoutMs: RELEASE_LIMIT_MS });
  }
}
