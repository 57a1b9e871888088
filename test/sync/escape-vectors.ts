/** Ways to have a transfer write, read or remove outside of a tree: how each is laid, and what it asks for. */
import { linkSync, renameSync, symlinkSync } from "node:fs";
import path from "node:path";

export type Places = {
  readonly tree: string;
  /** Holds `key`, `folder/key`, and an empty folder `empty`. */
  readonly outside: string;
};

const DEEDS = ["write", "replace", "run", "remove", "make", "read", "list"] as const;
export type Deed = (typeof DEEDS)[number];

export type Vector = {
  readonly title: string;
  readonly deed: Deed;
  /** What is asked for. */
  readonly name: (places: Places) => string;
  /** What the environment's processes do before. */
  readonly lay: (places: Places) => void;
};

type Route = {
  readonly title: string;
  readonly way: (places: Places) => string;
  readonly lay: (places: Places) => void;
};

const ROUTES: readonly Route[] = [
  route("a link to a folder outside", "way", ({ outside }) => outside),
  route("a relative link to it", "way", () => "../outside"),
  route("a link that goes in, and out", "way", () => "in/../../outside"),
  route("a link with much in it that says nothing", "way", () => ".//./..///outside/./"),
  route("a link deep in the tree", "in/way", () => "../../outside"),
  { ...route("a link to the folder above the tree", "up", () => ".."), way: () => "up/outside" },
  {
    ...route("a link to the machine's root", "way", () => "/"),
    way: ({ outside }) => `way${outside}`,
  },
  {
    ...route("a link by way of a process", "way", () => "/proc/self/root"),
    way: ({ outside }) => `way${outside}`,
  },
  {
    title: "a link to a link to a link",
    way: () => "way",
    lay: ({ tree, outside }) => {
      symlinkSync(outside, path.join(tree, "third"));
      symlinkSync("third", path.join(tree, "second"));
      symlinkSync("second", path.join(tree, "way"));
    },
  },
  {
    title: "a folder that became a link",
    way: () => "in",
    lay: ({ tree, outside }) => {
      renameSync(path.join(tree, "in"), path.join(tree, "was"));
      symlinkSync(outside, path.join(tree, "in"));
    },
  },
];

const LINKED: readonly Vector[] = ROUTES.flatMap(({ title, way, lay }) =>
  DEEDS.map((deed) => ({
    title: `${deed} by ${title}`,
    deed,
    name: (places) => `${way(places)}/${WANTED[deed]}`,
    lay,
  })),
);

/** What is asked for in the folder outside. */
const WANTED: Readonly<Record<Deed, string>> = {
  write: "new",
  replace: "key",
  run: "key",
  remove: "key",
  make: "made",
  read: "key",
  list: "",
};

const LEAVES: readonly Vector[] = (["replace", "run", "read", "write"] as const).flatMap((deed) => [
  leaf(deed, "a link in its own place", ({ tree, outside }) =>
    symlinkSync(path.join(outside, WANTED[deed]), path.join(tree, "leaf")),
  ),
  leaf(deed, "a relative link in its own place", ({ tree }) =>
    symlinkSync(`../outside/${WANTED[deed]}`, path.join(tree, "leaf")),
  ),
]);

const TWINS: readonly Vector[] = (["replace", "run"] as const).map((deed) =>
  leaf(deed, "another name of a file outside", ({ tree, outside }) =>
    linkSync(path.join(outside, "key"), path.join(tree, "leaf")),
  ),
);

const NAMES: readonly ((places: Places) => string)[] = [
  () => "../outside",
  () => "in/../../outside",
  () => "./../outside",
  () => "in/./.././../outside",
  () => "in//..//..//outside",
  () => "in/../in/../../outside",
  () => "../tree/../outside",
  ({ outside }) => outside,
  ({ outside }) => `/${outside}`,
];
const NAMED: readonly Vector[] = NAMES.flatMap((folder, index) =>
  (["write", "replace", "remove", "make", "read"] as const).map((deed) => ({
    title: `${deed} by a name that leads out (${index})`,
    deed,
    name: (places: Places) => `${folder(places)}/${WANTED[deed]}`,
    lay: () => undefined,
  })),
);

export const VECTORS: readonly Vector[] = [...LINKED, ...LEAVES, ...TWINS, ...NAMED];

function route(title: string, name: string, target: (places: Places) => string): Route {
  return {
    title,
    way: () => name,
    lay: (places) => symlinkSync(target(places), path.join(places.tree, name)),
  };
}

function leaf(deed: Deed, title: string, lay: Vector["lay"]): Vector {
  return { title: `${deed} by ${title}`, deed, name: () => "leaf", lay };
}
