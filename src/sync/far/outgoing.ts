import type { Stretch } from "../core/plan-patch.ts";
import { changedMeanwhile } from "../disk/problems.ts";
import type { Contents } from "../side/side.ts";
import type { Standing } from "../side/standing.ts";
import { MOST_BATCH_BYTES, MOST_BATCH_PARTS, packBatch, type Part } from "./batch.ts";
import type { Wire } from "./wire.ts";

/** Parts of files on their way to a side far away, a batch at a time. */
export class Outgoing {
  readonly #wire: Wire;
  #parts: Part[] = [];
  #bytes = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** All of a file. */
  async add(path: string, parts: ReturnType<Contents["read"]>): Promise<void> {
    const end = await this.#addBytes({ path, offset: 0 }, parts);
    await this.#push({ path, offset: end, bytes: new Uint8Array(0), isEnd: true });
  }

  /**
   * The same, of which what lies there already is taken from there. It goes alone: resolves once it is there.
   * @throws `sync_conflict` where either is not what it was any more
   */
  async addPatch(path: string, wanted: Standing, stretches: readonly Stretch[]): Promise<void> {
    await this.flush();
    try {
      const end = await this.#addStretches(path, wanted, stretches);
      await this.#push({ path, offset: end, bytes: new Uint8Array(0), isEnd: true });
      await this.flush();
    } catch (error) {
      // What has not been sent of it is not sent before what is to come instead.
      this.#takeParts();
      throw error;
    }
  }

  async flush(): Promise<void> {
    const parts = this.#takeParts();
    if (parts.length > 0) await this.#wire.stage(await packBatch(parts));
  }

  #takeParts(): readonly Part[] {
    const parts = this.#parts;
    this.#parts = [];
    this.#bytes = 0;
    return parts;
  }

  /** Resolves with where they end, as `#addBytes` does. */
  async #addStretches(
    path: string,
    wanted: Standing,
    stretches: readonly Stretch[],
  ): Promise<number> {
    let end = 0;
    for (const { offset, size, from } of stretches) {
      end = offset + size;
      if (from !== null) await this.#push({ path, offset, from, size, isEnd: false });
      else if (end !== (await this.#addBytes({ path, offset }, wanted.read({ offset, size }))))
        throw changedMeanwhile(path);
    }
    return end;
  }

  /** Resolves with where they end. */
  async #addBytes(
    { path, offset }: Pick<Part, "path" | "offset">,
    parts: ReturnType<Contents["read"]>,
  ): Promise<number> {
    let end = offset;
    for await (const whole of parts) {
      for (let at = 0; at < whole.length;) {
        const bytes = whole.subarray(at, at + MOST_BATCH_BYTES - this.#bytes);
        // What is read next may come in the same memory.
        await this.#push({ path, offset: end, bytes: Uint8Array.from(bytes), isEnd: false });
        at += bytes.length;
        end += bytes.length;
      }
    }
    return end;
  }

  async #push(part: Part): Promise<void> {
    this.#parts.push(part);
    this.#bytes += "from" in part ? 0 : part.bytes.length;
    if (this.#bytes >= MOST_BATCH_BYTES || this.#parts.length >= MOST_BATCH_PARTS)
      await this.flush();
  }
}
