/**
 * Where environments live: this machine. Makes, forks, wakes, rests and removes them, and takes up what an earlier server
 * left running. Its folders, each built on those before it: `home/`, where everything lies and what is written there;
 * `machine/`, what it has to spare; `processes/`, how an environment's are to be run; `live/`, one environment as it is
 * held; `parts/`, what it is made of; `standbys/` and `spares/`, what is made ahead; `making/`, creates, forks and resets;
 * `use/`, who takes how much; `leftovers/`; and `verification/`, which tries to break out.
 */
import { isoTime } from "../base/clock.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import { messageOf } from "../base/problem.ts";
import { withoutCopyingBehind } from "../database/database.ts";
import { DEVELOPMENT, type AppName } from "../environment/name.ts";
import { appTaken } from "../environment/problems.ts";
import { serverLeaving } from "./home/problems.ts";
import { removeReach } from "./home/reach.ts";
import { readApps, readRecords, removeApp, writeApp, type AppRecord } from "./home/records.ts";
import { listAllLeftovers, mendAllLeftovers } from "./leftovers/all-leftovers.ts";
import { Clearing } from "./leftovers/clearing.ts";
import { endHome, listLeftovers, mendLeftovers, type Leftover } from "./leftovers/leftovers.ts";
import { adoptAll } from "./live/adoption.ts";
import { LiveEnvironment } from "./live/live-environment.ts";
import { Registry } from "./live/registry.ts";
import type { EngineContext, EngineOptions } from "./machine/context.ts";
import { makeContext } from "./make-context.ts";
import { CallsUnderWay } from "./making/calls-under-way.ts";
import { Creates } from "./making/creates.ts";
import { bringUp } from "./making/creation.ts";
import type { AppRequest, CallOptions, CreateRequest } from "./making/creation.ts";
import {
  chooseSpareUid,
  chooseStandbyUid,
  identify,
  NOBODYS_FORK,
  type Known,
} from "./making/identities.ts";
import { Resets, type ResetRequest } from "./making/resets.ts";
import { timeMaking, type Made, type TimedMade } from "./making/timings.ts";
import { clearEnvironment, removeEnvironment } from "./parts/local-parts.ts";
import { prepareAgain, restartStale, startFallen } from "./parts/preparation.ts";
import { Tenders } from "./parts/tender.ts";
import { endShared } from "./shared.ts";
import { Spares } from "./spares/spares.ts";
import { Standbys } from "./standbys/standbys.ts";
import { Caretaker } from "./use/caretaker.ts";
import { OwnBytes } from "./use/own-bytes.ts";
import { UseWatch } from "./use/use-watch.ts";
import { verifyEnvironment, type Verification } from "./verification/verification.ts";
import { describeDraft, describeEnvironment, type Environment } from "./view.ts";

export type Created = Omit<TimedMade, "live"> & { readonly environment: Environment };
/** How long a start waits for processes to be ready or to fail; they go on after it. */
const SETTLE_LIMIT_MS = 120_000;

/**
 * Opens the engine of a home: sweeps what has no record, takes up what runs.
 * @throws `record_unreadable`, `postgres_missing`
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const engine = new Engine(await makeContext(options));
  await engine.takeUp();
  return engine;
}

export class Engine {
  readonly registry = new Registry();
  readonly ownBytes: OwnBytes;
  readonly standbys: Standbys;
  readonly spares: Spares;
  readonly tenders: Tenders;
  readonly #creates: Creates;
  readonly #resets: Resets;
  readonly #context: EngineContext;
  /** What runs an environment's steps, or gives it another database, comes one after another. */
  readonly #alone = new KeyedLock();
  readonly #clearing = new Clearing();
  /** Creates and starts under way; they are given up when the server leaves. */
  readonly #underWay = new CallsUnderWay();
  readonly uses: UseWatch;
  readonly #caretaker = new Caretaker(() => this.registry.all(), this);

  constructor(context: EngineContext) {
    this.#context = context;
    this.ownBytes = new OwnBytes(context);
    this.uses = new UseWatch(context, () => this.registry.all());
    this.standbys = new Standbys(context, this.registry, (source) =>
      chooseStandbyUid(this.#known(), source),
    );
    this.spares = new Spares(context, this.registry, (source) =>
      chooseSpareUid(this.#known(), source),
    );
    this.tenders = new Tenders(context);
    const { registry, standbys, spares } = this;
    this.#creates = new Creates({
      context,
      registry,
      standbys,
      spares,
      alone: this.#alone,
      identify: (wanted) => identify(this.#known(), wanted),
      onBuilt: (live) => this.#add(live),
    });
    this.#resets = new Resets(context, registry, standbys);
  }

  get layout(): EngineContext["layout"] {
    return this.#context.layout;
  }

  get postgres(): EngineContext["postgres"] {
    return this.#context.postgres;
  }

  /** Reads the records, adopts what they own, ends and removes the rest. */
  async takeUp(): Promise<void> {
    const { registry } = this;
    for (const app of await readApps(this.layout)) registry.addApp(app);
    for (const record of await readRecords(this.layout))
      this.#add(new LiveEnvironment(this.#context, record));
    await this.#resets.open();
    await Promise.all([this.standbys.adopt(), this.spares.adopt()]);
    const environments = registry.list(null);
    const ids = environments.map(({ record }) => record.id);
    const busy = new Set([...ids, ...this.standbys.ids()]);
    const owners = { environments, busy, spares: this.spares };
    await mendLeftovers(this.#context, await listLeftovers(this.#context, owners));
    await adoptAll(this.layout, environments);
    for (const { name, environments: names } of registry.apps()) {
      if (names.length === 0) await this.#forgetApp(registry.requireApp(name));
    }
    this.#caretaker.begin();
    this.standbys.start();
    this.spares.start();
  }

  async describe(live: LiveEnvironment): Promise<Environment> {
    return describeEnvironment(live, {
      gatewayPort: this.#context.listeners().gatewayPort,
      others: this.registry.listSharing(live),
      ownBytes: this.ownBytes.recall(live),
      standbys: this.standbys.describe(live.record.id),
      ...this.#context.fronts(live.record.id),
    });
  }

  /** With those that are still being built. */
  async describeAll(app: AppName | null): Promise<readonly Environment[]> {
    const there = this.registry.list(app).map(async (live) => this.describe(live));
    const drafts = this.#creates.drafts.list(app).map((draft) => describeDraft(draft));
    return [...(await Promise.all(there)), ...drafts];
  }

  /** Makes the app and its environment `development`, linked to the folder. In the same folder again: wakes it. */
  async createApp({ name, folder, ...others }: AppRequest, options: CallOptions): Promise<Created> {
    const known = this.registry.findApp(name);
    if (known !== undefined) return this.#resume(known, folder, options);
    const app = { name, folder, createdAt: isoTime(this.#context.clock) };
    this.registry.addApp(app);
    try {
      await writeApp(this.layout, app);
      const files = { kind: "linked", path: folder } as const;
      const first = { app: name, name: DEVELOPMENT, source: null, files, ...others };
      return await this.create(first, options);
    } finally {
      if (this.registry.list(name).length === 0) await this.#forgetApp(name);
    }
  }

  /** Builds, sets up and starts an environment. A name that is taken, also by one being made, is a problem. */
  async create(request: CreateRequest, options: CallOptions): Promise<Created> {
    return this.#track(options, async (tracked) =>
      this.#describeMade(await this.#creates.create(request, tracked)),
    );
  }

  /** Starts it; what is left of a broken or interrupted preparation is done first. */
  async start(live: LiveEnvironment, options: CallOptions): Promise<void> {
    await this.#track(options, async (tracked) => {
      await this.#alone.run(live.record.id, async () => {
        const { kind } = live.record.state;
        if (kind === "broken" || kind === "preparing") await bringUp(this.#context, live, tracked);
        else await live.wake();
        await startFallen(live);
      });
      await live.settled({ timeoutMs: SETTLE_LIMIT_MS, signal: tracked.signal });
    });
  }

  /** Replaces its database; what is there is kept for a day. */
  async reset(live: LiveEnvironment, how: ResetRequest, options: CallOptions): Promise<Created> {
    return this.#track(options, async (tracked) => {
      this.#resets.assertNone(live);
      try {
        const work = async (): Promise<Made> => this.#resets.reset(live, how, tracked);
        const made = await timeMaking(async () => this.#alone.run(live.record.id, work));
        return await this.#describeMade(made);
      } finally {
        // They followed what was replaced.
        await this.standbys.end(live.record.id);
      }
    });
  }

  /** Its kept files were replaced: what that asks for is run, and processes that do not reload by themselves are restarted. */
  async filesChanged(live: LiveEnvironment, options: CallOptions): Promise<void> {
    await this.#prepareAgain(live, options);
    await restartStale(live);
  }

  /** Tries to break out of it. Resolves with what came of each try; nothing of that is left. */
  async verify(live: LiveEnvironment, options: CallOptions): Promise<Verification> {
    return this.#track(options, async ({ signal }) => {
      const identity = identify(this.#known(), NOBODYS_FORK);
      return this.#clearing.during(identity, async () =>
        verifyEnvironment(this.#context, live, { identity, signal }),
      );
    });
  }

  /** Resolves once it is not there any more; its processes and folders are cleared behind it. */
  async delete(live: LiveEnvironment): Promise<void> {
    this.registry.assertNotNeeded(live);
    await this.#remove(live);
    if (this.registry.list(live.record.app).length === 0) await this.#forgetApp(live.record.app);
  }

  async deleteApp(app: AppName): Promise<readonly string[]> {
    const environments = this.registry.list(app);
    for (const live of environments) this.#resets.assertNone(live);
    for (const live of environments.toReversed()) await this.#remove(live);
    await this.#forgetApp(app);
    return environments.map(({ record }) => record.name);
  }

  /** Leftovers that nothing is about to clear. */
  async leftovers(): Promise<readonly Leftover[]> {
    await this.#clearing.settled();
    const drafts = this.#creates.drafts.list(null).map(({ id }) => id);
    const passing = [...drafts, ...this.#clearing.ids(), ...this.#resets.underWay()];
    const busy = new Set([...passing, ...this.tenders.ids(), ...this.standbys.ids()]);
    return listAllLeftovers(this.#context, this.registry, { busy, spares: this.spares });
  }

  async fix(leftovers: readonly Leftover[]): Promise<void> {
    await mendAllLeftovers(this.#context, leftovers);
  }

  /** Gives up what is being made and ends every environment's processes and database. Resolves with how many ran. */
  async stopAll(): Promise<number> {
    await this.#giveUp();
    const environments = this.registry.list(null);
    const running = environments.filter((live) => live.ownsProcesses());
    // Those that sleep too: the gateway is open still, and must wake none of them.
    await Promise.all(environments.map(async (live) => live.sleep({ forGood: true })));
    await this.standbys.stop();
    await this.#clearing.settled();
    await endShared(this.#context);
    return running.length;
  }

  /** The server leaves: what is being made is given up, and environments go on. */
  async close(): Promise<void> {
    await this.#giveUp();
    await Promise.all(this.registry.list(null).map(async (live) => live.disconnect()));
    // Groups with somebody in them stay.
    await this.#clearing.settled().then(async () => this.#context.groups?.clear());
  }

  /** The home was removed: what ran in it has nothing left to run on. */
  async abandon(): Promise<void> {
    await endHome(this.#context);
    await removeReach(this.layout.home, this.layout.home);
  }

  async #giveUp(): Promise<void> {
    this.#caretaker.end();
    this.#resets.close();
    await Promise.allSettled([
      this.#underWay.giveUp(serverLeaving()),
      this.#context.postgres.settled(),
      this.ownBytes.settled(),
    ]);
    await Promise.all([this.standbys.close(), this.spares.close()]);
  }

  /** Work that is given up when its caller goes or the server leaves. */
  async #track<T>(options: CallOptions, work: (tracked: CallOptions) => Promise<T>): Promise<T> {
    return this.#underWay.run(options, async (tracked) =>
      this.#context.calm.breakFor(() => withoutCopyingBehind(() => work(tracked))),
    );
  }

  async #resume(app: AppRecord, folder: string, options: CallOptions): Promise<Created> {
    const development = this.registry.find(app.name, DEVELOPMENT);
    if (development === undefined || app.folder !== folder) throw appTaken(app.name, app.folder);
    const { kind } = development.record.state;
    const made = await timeMaking(async () => {
      // Its manifest may have been written since: what that asks for is run before it starts.
      if (kind === "awake" || kind === "asleep") await this.#prepareAgain(development, options);
      await this.start(development, options);
      return { live: development, fork: null, timings: { files: 0, database: 0 } };
    });
    return this.#describeMade(made);
  }

  async #describeMade({ live, ...others }: TimedMade): Promise<Created> {
    return { environment: await this.describe(live), ...others };
  }

  /** Runs what its present files ask for; processes whose plan changed are started again. */
  async #prepareAgain(live: LiveEnvironment, options: CallOptions): Promise<void> {
    const prepare = async (): Promise<void> => prepareAgain(this.#context, live, options);
    await live.usage.during(async () => this.#alone.run(live.record.id, prepare));
  }

  #known(): Known {
    const { registry, standbys, spares } = this;
    return { registry, drafts: this.#creates.drafts, standbys, spares, clearing: this.#clearing };
  }

  #add(live: LiveEnvironment): void {
    this.registry.add(live);
    live.onChange(() => this.standbys.touch());
    this.spares.expect(live);
  }

  async #remove(live: LiveEnvironment): Promise<void> {
    const { record } = live;
    await this.#resets.excluding(live, async () => {
      await removeEnvironment(this.#context, record);
      this.registry.remove(live);
      void this.#clearing.during(record, async () => this.#clear(live));
    });
  }

  /** What cannot be cleared now is a leftover: the next start, or doctor, tries again. */
  async #clear(live: LiveEnvironment): Promise<void> {
    const { id } = live.record;
    try {
      await live.end();
      await clearEnvironment(this.#context, id);
      await Promise.all([this.standbys.end(id), this.spares.end(id)]);
    } catch (error) {
      live.note(`could not be cleared: ${messageOf(error)}`);
    }
  }

  async #forgetApp(app: AppName): Promise<void> {
    await removeApp(this.layout, app);
    this.registry.removeApp(app);
  }
}
