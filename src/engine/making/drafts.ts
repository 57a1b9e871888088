import type { EnvironmentId } from "../../environment/environment.ts";
import type { AppName, EnvironmentName } from "../../environment/name.ts";
import type { Draft } from "../../environment/parts.ts";
import { environmentTaken } from "../../environment/problems.ts";
import type { Registry } from "../live/registry.ts";
import type { Identity } from "../standbys/standbys.ts";
import type { CreateRequest } from "./creation.ts";

/** The environments that are just being built: their names and uids are taken, and nothing of theirs is a leftover. */
export class Drafts {
  /** With the uid that each is to have, once it is chosen; null where the server cannot give any away. */
  readonly #reserved = new Map<CreateRequest, number | null>();
  readonly #drafts = new Map<EnvironmentId, Draft>();

  /** Takes a name until the request is settled. @throws `environment_exists` */
  reserve(request: CreateRequest, registry: Registry): void {
    const { app, name } = request;
    if (this.#has(app, name) || registry.find(app, name) !== undefined)
      throw environmentTaken(app, name);
    this.#reserved.set(request, null);
  }

  /** A uid is taken as it is chosen: forks begun at one moment must not be given the same. */
  take(request: CreateRequest, identity: Identity): Identity {
    this.#reserved.set(request, identity.uid);
    return identity;
  }

  add(draft: Draft): void {
    this.#drafts.set(draft.id, draft);
  }

  /** It is there, or it will not be. Once it is settled, its name may be another request's. */
  settle(request: CreateRequest): void {
    if (!this.#reserved.delete(request)) return;
    for (const [id, { app, name }] of this.#drafts) {
      if (app === request.app && name === request.name) this.#drafts.delete(id);
    }
  }

  uids(): readonly number[] {
    return [...this.#reserved.values()].filter((uid) => uid !== null);
  }

  list(app: AppName | null): readonly Draft[] {
    return [...this.#drafts.values()].filter((draft) => app === null || draft.app === app);
  }

  #has(app: AppName, name: EnvironmentName): boolean {
    return [...this.#reserved.keys()].some(
      (request) => request.app === app && request.name === name,
    );
  }
}
