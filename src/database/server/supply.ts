import { stat } from "node:fs/promises";
import path from "node:path";

import { systemClock } from "../../base/clock.ts";
import { Problem, hasErrorCode } from "../../base/problem.ts";
import type { DatabaseRecord, PostgresRecord } from "../../environment/environment.ts";
import { postgresGone } from "../place/problems.ts";
import { majorOf } from "../place/programs.ts";
import type { Postgres, Programs } from "../place/programs.ts";
import { findInstalled, installPrograms } from "./install.ts";
import { prepareTemplate } from "./template.ts";
import { requireUserPrograms } from "./user-programs.ts";

export type SupplyOptions = {
  /** Where Ramet's own are installed. */
  readonly folder: string;
  readonly templates: string;
  /** As root, whose files a template's are if it can be; any user's will do. */
  readonly uid: number | null;
  /** The folder of the user's own programs that new databases run on; null: Ramet's own. */
  readonly bin: string | null;
};

type Known = { readonly stamp: string; readonly programs: Programs };

/** Every PostgreSQL that the databases of a home run on. */
export class Supply {
  readonly #options: SupplyOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #known = new Map<string, Known>();
  #own: Promise<Programs> | undefined;

  constructor(options: SupplyOptions) {
    this.#options = options;
  }

  /** For a new database; `bin` where its maker names one. @throws `postgres_missing`, `postgres_unusable` */
  async forNew(bin: string | null = null): Promise<Postgres> {
    return this.#during(async () => {
      const chosen = bin ?? this.#options.bin;
      const programs = chosen === null ? await this.#requireOwn() : await this.#requireAt(chosen);
      const { templates: folder, uid } = this.#options;
      return {
        programs,
        template: await prepareTemplate(programs, { folder, uid, clock: systemClock }),
      };
    });
  }

  /** For a database that was made before: of the same major version. @throws `postgres_gone` */
  async forRecord({ postgres }: Pick<DatabaseRecord, "postgres">): Promise<Programs> {
    return this.#during(async () =>
      postgres.bin === null ? this.#findOwn(postgres) : this.#findUsers(postgres, postgres.bin),
    );
  }

  /** For people: what new databases run on, or why they cannot, and what there is for those that were made by another. */
  async describe(records: readonly DatabaseRecord[]): Promise<string> {
    const used = Map.groupBy(records, ({ postgres }) => `${postgres.version} ${postgres.bin}`);
    const groups = [...used.values()].map(async (group) => this.#describeUsed(group));
    return [`new databases: ${await this.#describeNew()}`, ...(await Promise.all(groups))].join(
      "; ",
    );
  }

  /** Settles when nothing is being installed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    const working = work();
    this.#underWay.add(working);
    try {
      return await working;
    } finally {
      this.#underWay.delete(working);
    }
  }

  async #describeNew(): Promise<string> {
    const { bin } = this.#options;
    try {
      const programs = await (bin === null ? this.#requireOwn() : this.#requireAt(bin));
      return `${programs.version}, ${describeOrigin(bin)}`;
    } catch (error) {
      return asProblem(error).message;
    }
  }

  async #describeUsed(records: readonly DatabaseRecord[]): Promise<string> {
    const [record] = records;
    if (record === undefined) return "none";
    const { version, bin } = record.postgres;
    const found = await this.forRecord(record).catch((error: unknown) => asProblem(error));
    const gone = found instanceof Problem ? ", which is gone" : "";
    return `${records.length} made by ${version}, ${describeOrigin(bin)}${gone}`;
  }

  async #requireOwn(): Promise<Programs> {
    this.#own ??= installPrograms(this.#options.folder, systemClock);
    try {
      return await this.#own;
    } catch (error) {
      this.#own = undefined;
      throw error;
    }
  }

  /** The package's, or one of an earlier package that is still installed beside it. */
  async #findOwn(record: PostgresRecord): Promise<Programs> {
    const own = await this.#requireOwn();
    const major = majorOf(record.version);
    if (own.major === major) return own;
    const earlier = await findInstalled(this.#options.folder, major);
    if (earlier !== undefined) return earlier;
    throw postgresGone(record, `Ramet comes with ${own.version} now`);
  }

  /** Where they were, or where the user says that they are now. */
  async #findUsers(record: PostgresRecord, bin: string): Promise<Programs> {
    const reasons: string[] = [];
    for (const folder of new Set([bin, this.#options.bin ?? bin])) {
      const found = await this.#requireAt(folder).catch((error: unknown) => asProblem(error));
      if (found instanceof Problem) reasons.push(found.message);
      else if (found.major === majorOf(record.version)) return found;
      else reasons.push(`${folder} is PostgreSQL ${found.version}`);
    }
    throw postgresGone(record, reasons.join(" "));
  }

  /** Asked again only where they were replaced. */
  async #requireAt(bin: string): Promise<Programs> {
    const stamp = await findStamp(path.join(bin, "postgres"));
    const known = this.#known.get(bin);
    if (known !== undefined && known.stamp === stamp) return known.programs;
    const programs = await requireUserPrograms(bin);
    this.#known.set(bin, { stamp, programs });
    return programs;
  }
}

async function findStamp(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file);
    return `${ino}:${size}:${mtimeMs}`;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return "absent";
    throw error;
  }
}

function describeOrigin(bin: string | null): string {
  return bin === null ? "Ramet's own" : `in ${bin}`;
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}
