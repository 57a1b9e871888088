import type { EnvironmentId } from "../environment/environment.ts";
import type { AppName, EnvironmentName } from "../environment/name.ts";
import type { Draft } from "../environment/parts.ts";
import type { CreateRequest } from "./creation.ts";

/** The environments that are just being built: their names and uids are taken, and nothing of theirs is a leftover. */
export class Drafts {
  readonly #reserved = new Set<CreateRequest>();
  readonly #drafts = new Map<EnvironmentId, Draft>();

  /** Takes a name until the request is settled. */
  reserve(request: CreateRequest): void {
    this.#reserved.add(request);
  }

  add(draft: Draft): void {
    this.#drafts.set(draft.id, draft);
  }

  /** It is there, or it will not be. */
  settle(request: CreateRequest): void {
    this.#reserved.delete(request);
    for (const [id, { app, name }] of this.#drafts) {
      if (app === request.app && name === request.name) this.#drafts.delete(id);
    }
  }

  has(app: AppName, name: EnvironmentName): boolean {
    return [...this.#reserved].some((request) => request.app === app && request.name === name);
  }

  list(app: AppName | null): readonly Draft[] {
    return [...this.#drafts.values()].filter((draft) => app === null || draft.app === app);
  }
}
