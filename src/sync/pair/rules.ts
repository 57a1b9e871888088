import path from "node:path";

import { findIgnored, listFiles } from "../../files/files.ts";
import { listFolders } from "../core/tree.ts";
import type { LookOptions } from "../side/side.ts";
import { stampFile, stampGit } from "./git-state.ts";
import { skippedOf } from "./sparse-checkout.ts";

const GIT = ".git";

type FindIgnored = LookOptions["findIgnored"];
type Listing = Awaited<ReturnType<typeof listFiles>>;
type Known = {
  readonly isThere: (name: string) => boolean;
  readonly left: ReadonlySet<string>;
};

/** What the rules say of all that is there. */
export type ListedRules = {
  /** Of names that are in the workspace. */
  readonly findIgnored: FindIgnored;
  /** Another one where they say anything else; undefined once it was asked about names that it does not list. */
  identify(): string | undefined;
};

/** What belongs to the trees: the workspace's rules hold for both. */
export type Rules = {
  /** Differs after the rules have changed, or what git tracks. @param files those of the workspace that hold rules */
  stamp(files: Iterable<string>): string;
  /** For a look at all of the workspace. */
  list(): Promise<ListedRules>;
  readonly findIgnored: FindIgnored;
  /** Of names that the environment alone has: what the workspace does not check out is not removed from there either. */
  readonly findLeftOut: FindIgnored;
};

/** As git has them where it knows the workspace, else as its `.gitignore` files do. */
export function rulesOf(workspace: string): Rules {
  let index: string | null = null;
  const listSkipped = skippedOf(workspace);
  const ask: FindIgnored = async (names) => {
    const plain = names.filter((name) => !isRepository(name));
    const ignored = plain.length === 0 ? [] : await findIgnored(workspace, plain);
    return new Set([...names.filter(isRepository), ...ignored]);
  };
  return {
    stamp: (files) => stampRules(workspace, files),
    list: async () => {
      const listing = await listFiles(workspace, index);
      ({ index } = listing);
      return fromListing(listing, ask);
    },
    findIgnored: ask,
    findLeftOut: async (names) => {
      const skipped = await listSkipped();
      const ignored = await ask(names.filter((name) => !skipped.has(name)));
      return new Set([...names.filter((name) => skipped.has(name)), ...ignored]);
    },
  };
}

/** A file that holds rules. */
export function holdsRules(name: string): boolean {
  return name === ".gitignore" || name.endsWith("/.gitignore");
}

/**
 * What git has listed needs no question; what came since, or is an empty folder, does, and the list does not stand for the
 * answer: of `empty/` and the rule `empty/**` git says that it is ignored, and does not list it.
 */
function fromListing({ id, read }: Listing, ask: FindIgnored): ListedRules {
  let known: Promise<Known> | undefined;
  let isBeyond = false;
  return {
    findIgnored: async (names) => {
      const { isThere, left } = await (known ??= read().then(knowing));
      const open = names.filter((name) => !isThere(name) && !left.has(name));
      isBeyond ||= open.length > 0;
      return new Set([...names.filter((name) => left.has(name)), ...(await ask(open))]);
    },
    identify: () => (isBeyond ? undefined : id),
  };
}

function knowing({ files, ignored }: Awaited<ReturnType<Listing["read"]>>): Known {
  const known = new Set(files);
  for (const folder of listFolders(files)) known.add(folder);
  return {
    // A submodule's files are the tree's.
    isThere: (name) => known.has(isRepository(name) ? name.slice(0, -GIT.length) : name),
    left: new Set(ignored),
  };
}

/** Asked of a folder that is a repository: one that the workspace's own does not know is no part of it. */
function isRepository(name: string): boolean {
  return name.endsWith(`/${GIT}`);
}

function stampRules(workspace: string, files: Iterable<string>): string {
  const names = [...files, ".git/info/exclude"];
  const stamps = names.map((name) => stampFile(path.join(workspace, name)));
  return [stampGit(workspace) ?? "changing", ...stamps].join();
}
