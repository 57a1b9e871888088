import type { EnvironmentRecord } from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { describeIsolation } from "../../runtime/runtime.ts";
import type { VariableStore } from "../../variables/variables.ts";
import type { EngineContext } from "../machine/context.ts";
import { chooseIsolation } from "../processes/isolation.ts";
import { describeLimits } from "../processes/limiting.ts";
import type { LimitsView } from "../processes/limiting.ts";
import {
  formatDatabaseUrl,
  planCommandOverlay,
  variableStore,
} from "../processes/runtime-planning.ts";

/** What can be said of an environment whether it is awake or not. */
export class Facts {
  readonly #context: EngineContext;
  readonly #record: () => EnvironmentRecord;

  constructor(context: EngineContext, record: () => EnvironmentRecord) {
    this.#context = context;
    this.#record = record;
  }

  get variables(): VariableStore {
    return variableStore(this.#context.layout, this.#record());
  }

  /** What a command in the workspace gets besides its caller's environment. */
  async commandVariables(manifest: Manifest): Promise<Readonly<Record<string, string>>> {
    return planCommandOverlay(this.#context, this.#record(), manifest);
  }

  /** How its processes are kept apart from the machine and from other environments. @throws `isolation_missing` */
  async describeIsolation(manifest: Manifest): Promise<string> {
    return describeIsolation(await chooseIsolation(this.#context, this.#record(), manifest));
  }

  /** What its processes may take of the machine, and what sees to it. */
  describeLimits(manifest: Manifest, pressure: LimitsView["pressure"]): LimitsView {
    return describeLimits(this.#context, manifest, pressure);
  }

  /** In its final form, through the wire gateway. */
  databaseUrl(): string | null {
    return formatDatabaseUrl(this.#context, this.#record());
  }
}
