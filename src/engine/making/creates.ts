import type { KeyedLock } from "../../base/keyed-lock.ts";
import { traced } from "../../base/trace.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { Registry } from "../live/registry.ts";
import type { EngineContext } from "../machine/context.ts";
import type { Spares } from "../spares/spares.ts";
import type { Identity, Standbys } from "../standbys/standbys.ts";
import { bringUpBuilt, buildPlanned, planEnvironment } from "./creation.ts";
import type { Built, CallOptions, CreateRequest } from "./creation.ts";
import { Drafts } from "./drafts.ts";
import { ForkTurns } from "./fork-turns.ts";
import type { Wanted } from "./identities.ts";
import { timeMaking } from "./timings.ts";
import type { Made, TimedMade } from "./timings.ts";

export type CreateMeans = {
  readonly context: EngineContext;
  readonly registry: Registry;
  readonly standbys: Standbys;
  readonly spares: Spares;
  /** What runs an environment's steps comes one after another. */
  readonly alone: KeyedLock;
  /** Whom a new one will be. */
  readonly identify: (wanted: Wanted) => Identity;
  /** It is there from now on, though nothing of it runs yet. */
  readonly onBuilt: (live: LiveEnvironment) => void;
};

/** Makes environments, several at one moment: each with a name, an id and a uid that no other has, forks in turns. */
export class Creates {
  /** Those that are just being built. */
  readonly drafts = new Drafts();
  readonly #means: CreateMeans;
  readonly #forks = new ForkTurns();

  constructor(means: CreateMeans) {
    this.#means = means;
  }

  /** Builds one, sets it up and starts it. @throws `environment_exists` and what making it throws */
  async create(request: CreateRequest, options: CallOptions): Promise<TimedMade> {
    const { context, registry, alone } = this.#means;
    this.drafts.reserve(request, registry);
    const making = async (): Promise<Made> => {
      const built = await this.#build(request, options);
      const finish = async (): Promise<Made> => bringUpBuilt(context, built, options);
      return alone.run(built.live.record.id, finish);
    };
    return timeMaking(async () =>
      request.source === null ? making() : this.#forks.inTurn(making, options.signal),
    ).finally(() => this.drafts.settle(request));
  }

  async #build(request: CreateRequest, options: CallOptions): Promise<Built> {
    const { context, standbys, spares, identify, onBuilt } = this.#means;
    const { source, files } = request;
    const keepsFiles = files.kind === "kept";
    try {
      const planned = await traced("plan", async () =>
        planEnvironment(context, request, (hasRows) =>
          this.drafts.take(request, identify({ source, hasRows, keepsFiles })),
        ),
      );
      this.drafts.add(planned.draft);
      const offer = spares.offer(source);
      try {
        const building = { ...planned, offer, options };
        const built = await buildPlanned(context, request, building);
        onBuilt(built.live);
        return built;
      } finally {
        await offer?.close();
        await standbys.settle(planned.draft.id);
      }
    } finally {
      this.drafts.settle(request);
    }
  }
}
