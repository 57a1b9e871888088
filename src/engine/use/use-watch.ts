import { statfs } from "node:fs/promises";

import { monotonicMs } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import { measureAllocated } from "../../files/files.ts";
import {
  type Limits,
  type Use,
  describeHolding,
  diskShort,
  findExcess,
  limitExceeded,
} from "../../limits/limits.ts";
import { type ProcessUse, openUseScan, yieldProcessor } from "../../process/process.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import * as summing from "../live/use-summary.ts";
import type { UseSample } from "../live/use-summary.ts";
import type { EngineContext } from "../machine/context.ts";
import { limitsOf } from "../processes/limiting.ts";
import { type EnvironmentUse, describeUse } from "./use-view.ts";
import { type Bounded, Yielding } from "./yielding.ts";

/** What was seen so lately is shown as it was. */
const FRESH_MS = 1_000;
const MINUTE_MS = 60_000;
/** With less of the disk free, what has filled it lately is ended. */
const RESERVE = { bytes: 1e9, share: 0.02 };
/** Who has written less within a minute does not fill a disk. */
const FILLING_BYTES = 64e6;
/** Its files are measured anew once it has written this part of what they may take up, or after a while: who has ended is not heard. */
const MEASURED_PART = 1 / 16;
/** Looks are not as exact as the kernel is. */
const TOLERATED = 1.1;
const MEASURED_EVERY_MS = 10_000;

/** What is remembered of an environment from look to look. */
type Memory = {
  uses: readonly ProcessUse[];
  atMs: number;
  requests: number;
  kills: number;
  refusals: number;
  /** Bytes and when they were written. */
  written: readonly { readonly atMs: number; readonly bytes: number }[];
  /** Written since its files were measured, and when that was. */
  unmeasuredBytes: number;
  measuredMs: number;
  sample: UseSample;
};

/** Looks at what environments take of the machine, and ends those that take more than they may. */
export class UseWatch {
  readonly #context: EngineContext;
  readonly #list: () => Iterable<LiveEnvironment>;
  readonly #scan: ReturnType<typeof openUseScan>;
  readonly #memories = new Map<EnvironmentId, Memory>();
  readonly #yielding: Yielding;
  #looking: Promise<void> | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(context: EngineContext, list: () => Iterable<LiveEnvironment>) {
    this.#context = context;
    this.#list = list;
    this.#yielding = new Yielding(context);
    context.admission.among(list);
    this.#scan = openUseScan(MARK_VARIABLE, `${context.layout.home.id}.`);
  }

  /** What each of these takes of the machine just now. To be looked at is no use of it. */
  async describe(environments: readonly LiveEnvironment[]): Promise<readonly EnvironmentUse[]> {
    if (monotonicMs() - this.#lookedMs > FRESH_MS) await this.look();
    return Promise.all(environments.map(async (live) => describeUse(live)));
  }

  /** What holds environments to their limits here. */
  describeHolding(): string {
    return describeHolding(this.#context.groups);
  }

  /** Between two looks, for what must not wait for the next. */
  glance(): void {
    if (this.#context.groups?.controllers.has("cpu") !== true) return;
    this.#yielding.glance([...this.#list()].flatMap(listBounded));
  }

  /** One look at a time; whoever asks meanwhile gets that one. */
  async look(): Promise<void> {
    this.#looking ??= this.#lookAtAll()
      .catch((error: unknown) =>
        this.#context.log(`What runs could not be seen: ${messageOf(error)}`),
      )
      .finally(() => {
        this.#looking = undefined;
      });
    await this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    this.#lookedMs = monotonicMs();
    const up = [...this.#list()].filter((live) => live.isUp());
    this.#forget(up);
    if (up.length === 0) return;
    const seen = summing.groupByEnvironment(await this.#scan.take());
    const atMs = monotonicMs();
    for (const live of up) await this.#lookAt(live, { uses: seen.get(live.record.id) ?? [], atMs });
    await this.#spareDisk(up);
    await this.#context.admission.look();
  }

  #forget(up: readonly LiveEnvironment[]): void {
    const ids = new Set(up.map(({ record }) => record.id));
    for (const live of this.#list())
      if (!ids.has(live.record.id)) live.usage.sample = summing.NO_USE;
    for (const id of this.#memories.keys()) {
      if (ids.has(id)) continue;
      this.#memories.delete(id);
      this.#yielding.forget(id);
    }
  }

  async #lookAt(live: LiveEnvironment, look: summing.Look): Promise<void> {
    const { id } = live.record;
    const events = await this.#context.groups?.readEvents(id);
    const { kills, refusals } = events ?? NOTHING_KNOWN;
    const before = this.#memories.get(id);
    const counted = before ?? NOTHING_KNOWN;
    const memory = { ...remember(live, look, before), kills, refusals };
    this.#memories.set(id, memory);
    const pressure = (await this.#context.groups?.readPressure(id)) ?? null;
    live.usage.sample = { ...memory.sample, pressure };
    await this.#judge(live, {
      ...summarizeUse(look.uses, before?.uses ?? []),
      kills: kills - counted.kills,
      refusals: refusals - counted.refusals,
      held: this.#context.groups?.controllers ?? new Set(),
    });
  }

  async #judge(live: LiveEnvironment, use: Omit<Use, "diskBytes">): Promise<void> {
    const manifest = live.manifests.known;
    if (manifest === undefined) return;
    const limits = limitsOf(manifest);
    if (use.held.has("cpu"))
      await this.#yielding.settle({ id: live.record.id, limits }, live.usage.sample.cpu);
    else this.#holdProcessors(live, limits);
    const diskBytes =
      limits.diskBytes === null ? null : await this.#measure(live, limits.diskBytes);
    const excess = findExcess(limits, { ...use, diskBytes });
    if (excess === undefined) return;
    const { app, name } = live.record;
    await live.breakDown(limitExceeded(`${app}/${name}`, excess).toFields());
  }

  /** Where nothing bounds what it takes of the processors, it yields to others from when it takes more than it may. */
  #holdProcessors(live: LiveEnvironment, { cpus }: Limits): void {
    if (live.usage.sample.cpu <= cpus * TOLERATED) return;
    const { uses = [] } = this.#memories.get(live.record.id) ?? {};
    yieldProcessor(summing.ofRuntime(uses).map(({ pid }) => pid));
  }

  /** null: it has hardly written anything since they were measured. */
  async #measure(live: LiveEnvironment, mostBytes: number): Promise<number | null> {
    const memory = this.#memories.get(live.record.id);
    if (memory === undefined) return null;
    const isFresh = memory.atMs - memory.measuredMs < MEASURED_EVERY_MS;
    if (isFresh && memory.unmeasuredBytes < mostBytes * MEASURED_PART) return null;
    memory.unmeasuredBytes = 0;
    memory.measuredMs = memory.atMs;
    const { files, id } = live.record;
    const folders = [
      this.#context.layout.folder(id),
      ...(files.kind === "linked" ? [files.path] : []),
    ];
    return summing.sum(await Promise.all(folders.map(measureAllocated)));
  }

  /** A full disk is everybody's: what has filled it is ended before it is. */
  async #spareDisk(up: readonly LiveEnvironment[]): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(this.#context.layout.data);
    const freeBytes = bavail * bsize;
    if (freeBytes > Math.min(RESERVE.bytes, blocks * bsize * RESERVE.share)) return;
    const [live] = up.toSorted((a, b) => b.usage.sample.writtenBytes - a.usage.sample.writtenBytes);
    if (live === undefined) return;
    const { writtenBytes } = live.usage.sample;
    if (writtenBytes < FILLING_BYTES) return;
    const { app, name } = live.record;
    await live.breakDown(diskShort(`${app}/${name}`, { freeBytes, writtenBytes }).toFields());
  }
}

/** It, where it is up and what it may take is known. */
function listBounded(live: LiveEnvironment): readonly Bounded[] {
  const manifest = live.isUp() ? live.manifests.known : undefined;
  return manifest === undefined ? [] : [{ id: live.record.id, limits: limitsOf(manifest) }];
}

/** Nothing has risen before the first look. */
function remember(live: LiveEnvironment, look: summing.Look, known: Memory | undefined): Memory {
  const { uses, atMs } = look;
  const requests = live.usage.requests();
  const before = known ?? { ...NOTHING_KNOWN, uses, atMs, requests };
  // At the first look no time has passed: nothing is divided by it.
  const seconds = Math.max(0.001, (atMs - before.atMs) / 1000);
  const bytes = summing.sumRises(before.uses, uses, "writtenBytes");
  const written = [...before.written, { atMs, bytes }].filter((one) => atMs - one.atMs < MINUTE_MS);
  const sample = {
    memoryBytes: summing.sum(uses.map((use) => use.memoryBytes)),
    processes: uses.length,
    cpu: summing.sumRises(before.uses, uses, "cpuMs") / 1000 / seconds,
    requestsPerSecond: (requests - before.requests) / seconds,
    writtenBytes: summing.sum(written.map((one) => one.bytes)),
    pressure: null,
  };
  const unmeasuredBytes = before.unmeasuredBytes + bytes;
  return { ...before, uses, atMs, requests, written, unmeasuredBytes, sample };
}

const NOTHING_KNOWN = {
  written: [],
  kills: 0,
  refusals: 0,
  unmeasuredBytes: 0,
  measuredMs: Number.NEGATIVE_INFINITY,
  sample: summing.NO_USE,
};

function summarizeUse(
  all: readonly ProcessUse[],
  before: readonly ProcessUse[],
): Pick<Use, "memoryBytes" | "tasks" | "largest" | "largestGone" | "busiest"> {
  const uses = summing.ofRuntime(all);
  const there = new Set(uses.map(({ id }) => id));
  const gone = summing.ofRuntime(before).filter(({ id }) => !there.has(id));
  return {
    memoryBytes: summing.sum(uses.map((use) => use.memoryBytes)),
    tasks: summing.sum(uses.map((use) => use.tasks)),
    largest: summing.findLargest(uses),
    largestGone: summing.findLargest(gone),
    busiest: summing.findMostNumerous(uses),
  };
}
