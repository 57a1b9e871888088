import { allDone } from "../../base/all-done.ts";
import type { Problem } from "../../base/problem.ts";
import { type Comparison, compareTrees } from "../core/compare.ts";
import type { Plan } from "../core/plan.ts";
import type { Trees } from "../core/reconcile.ts";
import { type Entry, isSameEntry, listFolders, listParents, type Tree } from "../core/tree.ts";
import type { Applied, Changes, Look, LookOptions, Side } from "../side/side.ts";
import type { Ancestor } from "./ancestor.ts";
import { holdsRules, type ListedRules, type Rules } from "./rules.ts";

export type PairOptions = {
  readonly local: Side;
  readonly remote: Side;
  readonly ancestor: Ancestor;
  readonly rules: Rules;
};

type Name = "local" | "remote";
type Asking = Pick<LookOptions, "scope"> & { readonly listing: Promise<ListedRules> | undefined };

/** Rules that change again and again while trees are read are waited for no longer. */
const MOST_LOOKS = 3;

/**
 * Two sides as they were when they were last looked at, what they held alike before, and where they differ. All else
 * works on the paths that differ alone, of which there are few.
 */
export class Pair {
  readonly #options: PairOptions;
  readonly #trees = { local: new Map<string, Entry>(), remote: new Map<string, Entry>() };
  readonly #unknown: Record<Name, ReadonlyMap<string, Problem>> = {
    local: new Map(),
    remote: new Map(),
  };
  readonly #differing = new Set<string>();
  readonly #ruleFiles = new Set<string>();
  /** Those of the workspace, while it has not changed. */
  #folders: ReadonlySet<string> | undefined;
  /** How often the workspace has changed: what it has is not left out of the other side. */
  #changes = 0;
  #stamp: string | undefined;

  private constructor(options: PairOptions) {
    this.#options = options;
  }

  /** Finishes what a crash has left; both sides must be open. */
  static async open(options: PairOptions): Promise<Pair> {
    const pair = new Pair(options);
    await pair.#recover();
    for (const path of options.ancestor.entries.keys()) pair.#differing.add(path);
    return pair;
  }

  /** Which two folders they are. */
  get epoch(): string {
    return this.#options.ancestor.epoch;
  }

  /** Each side's tree; what differs from it by now, the next look finds. */
  get trees(): Readonly<Record<Name, Tree>> {
    return this.#trees;
  }

  /** False: rules changed all the while, so that nothing can be told from it. @throws `sync_unreadable` */
  async look(scope: LookOptions["scope"]): Promise<boolean> {
    const { rules, ancestor } = this.#options;
    let wanted = scope;
    for (let count = 0; count < MOST_LOOKS; count += 1) {
      const before = rules.stamp(this.#ruleFiles);
      const isWhole = await this.#lookOnce(before === this.#stamp ? wanted : "all");
      this.#stamp = before;
      if (!isWhole) wanted = "all";
      if (!isWhole || rules.stamp(this.#ruleFiles) !== before) continue;
      for (const path of this.#differing) this.#settle(path);
      ancestor.save();
      return true;
    }
    return false;
  }

  /** Three trees that hold the differing paths alone, but for those of which nothing is known. */
  differing(): Trees {
    const { local, remote } = this.#trees;
    const paths = [...this.#differing].filter((path) => !this.#isUnknown(path)).toSorted();
    return {
      ancestor: pick(paths, this.#options.ancestor.entries),
      local: pick(paths, local),
      remote: pick(paths, remote),
    };
  }

  compare(): Comparison {
    const { ancestor, local, remote } = this.differing();
    return compareTrees(ancestor, local, remote);
  }

  /** Paths of which nothing is known on one side, and why. */
  unknown(): ReadonlyMap<string, Problem> {
    return new Map([...this.#unknown.local, ...this.#unknown.remote]);
  }

  /** Brings one side what the other has. @throws `disk_full`; then the pair is to be opened anew */
  async apply(plan: Plan, name: Name): Promise<Applied> {
    const { local, remote } = this.#options;
    const [side, other] = name === "local" ? [local, remote] : [remote, local];
    const applied = await side.apply(plan, other.contents);
    this.#take(name, applied.done);
    return applied;
  }

  /** Notes what came of it for good: a crash from here on knows. */
  async commit(): Promise<void> {
    const { local, remote, ancestor } = this.#options;
    for (const path of this.#differing) this.#settle(path);
    ancestor.save();
    await allDone([local.commit(), remote.commit()]);
  }

  async #recover(): Promise<void> {
    const { local, remote, ancestor } = this.#options;
    for (const side of [local, remote])
      for (const [path, entry] of await side.recover()) ancestor.set(path, entry);
    ancestor.save();
    await allDone([local.commit(), remote.commit()]);
  }

  /** False: a side may have missed something. */
  async #lookOnce(scope: LookOptions["scope"]): Promise<boolean> {
    const { local, remote, rules } = this.#options;
    // Both sides and git at once: each begins with what it can do before it needs another's answer.
    const listing = scope === "all" ? rules.list() : undefined;
    const looking = this.#lookAtLocal(local, { scope, listing });
    const ask = this.#askAfter(looking, { scope, listing });
    const [here, there] = await allDone([
      looking,
      remote.look({ scope, ...ask }),
      listing,
    ] as const);
    this.#takeLook("remote", there);
    return !here.isPartial && !there.isPartial;
  }

  async #lookAtLocal(local: Side, { scope, listing }: Asking): Promise<Look> {
    const { rules } = this.#options;
    const look = await local.look({
      scope,
      findIgnored: async (names) => ((await listing) ?? rules).findIgnored(names),
      identifyRules: listing && (async () => (await listing).identify()),
    });
    this.#takeLook("local", look);
    return look;
  }

  /** What the environment's side asks: what the workspace has is not left out there. */
  #askAfter(
    looking: Promise<unknown>,
    { scope, listing }: Asking,
  ): Pick<LookOptions, "findIgnored" | "identifyRules"> {
    let isBeyond = false;
    const identify = async (): Promise<string | undefined> => {
      const [listed] = await Promise.all([listing, looking]);
      const id = isBeyond ? undefined : listed?.identify();
      return id && `${id} ${this.#changes}`;
    };
    return {
      findIgnored: async (names) => {
        await looking;
        const isInLocal = this.#namesOf("local", scope);
        const others = names.filter((name) => !isInLocal(name));
        isBeyond ||= others.length > 0;
        return this.#options.rules.findLeftOut(others);
      },
      identifyRules: listing && identify,
    };
  }

  /** Whether a name is one of the tree's: what the workspace has is not left out. */
  #namesOf(side: Name, scope: LookOptions["scope"]): (name: string) => boolean {
    const tree = this.#trees[side];
    if (scope === "hinted") return (name) => tree.has(name);
    const folders = (this.#folders ??= listFolders(tree.keys()));
    return (name) => tree.has(name) || folders.has(name);
  }

  #takeLook(name: Name, { changes, unknown }: Look): void {
    this.#unknown[name] = unknown;
    this.#take(name, changes);
    if (name === "remote") return;
    for (const [path, entry] of changes) {
      if (holdsRules(path)) this.#ruleFiles[entry === undefined ? "delete" : "add"](path);
    }
  }

  #take(name: Name, changes: Changes): void {
    if (name === "local" && changes.size > 0) this.#noteChange();
    const tree = this.#trees[name];
    for (const [path, entry] of changes) {
      if (entry === undefined) tree.delete(path);
      else tree.set(path, entry);
      this.#differing.add(path);
    }
  }

  #noteChange(): void {
    this.#folders = undefined;
    this.#changes += 1;
  }

  /** What both hold alike is noted at once: an edit made after this is known to be one side's alone. */
  #settle(path: string): void {
    const [here, there] = [this.#trees.local.get(path), this.#trees.remote.get(path)];
    if (!isSameEntry(here, there) || this.#isUnknown(path)) return;
    this.#options.ancestor.set(path, here);
    this.#differing.delete(path);
  }

  #isUnknown(path: string): boolean {
    const { local, remote } = this.#unknown;
    if (local.size + remote.size === 0) return false;
    return [path, ...listParents(path), ""].some((one) => local.has(one) || remote.has(one));
  }
}

function pick(paths: readonly string[], tree: Tree): Tree {
  const picked = new Map<string, Entry>();
  for (const path of paths) {
    const entry = tree.get(path);
    if (entry !== undefined) picked.set(path, entry);
  }
  return picked;
}
