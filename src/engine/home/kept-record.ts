import { KeyedLock } from "../../base/keyed-lock.ts";
import { traced } from "../../base/trace.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import type { Layout } from "./layout.ts";
import { writeRecord } from "./records.ts";

/** An environment's record, in memory and on the disk. */
export class KeptRecord {
  readonly #layout: Layout;
  readonly #saving = new KeyedLock();
  #record: EnvironmentRecord;
  #isClosed = false;

  constructor(layout: Layout, record: EnvironmentRecord) {
    this.#layout = layout;
    this.#record = record;
  }

  get value(): EnvironmentRecord {
    return this.#record;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Nothing is written any more: it is being deleted, or another engine has it. */
  close(): void {
    this.#isClosed = true;
  }

  /** In memory, until something is saved. */
  note(change: Partial<EnvironmentRecord>): void {
    this.#record = { ...this.#record, ...change };
  }

  /** One change after another: none is lost with what was written at the same time. */
  async save(change: Partial<EnvironmentRecord>): Promise<void> {
    await this.#saving.run("", async () => {
      if (this.#isClosed) return;
      const record = { ...this.#record, ...change };
      await traced("record", async () => writeRecord(this.#layout, record));
      this.note(change);
    });
  }
}
