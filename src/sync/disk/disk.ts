/** What a look at a place tells, without reading what it holds. */
export type Seen = {
  readonly kind: Kind;
  readonly size: number;
  readonly executable: boolean;
  /** Differs after every change of its bytes, as far as the disk's clock can tell; a new name leaves it the same. */
  readonly bytes: string;
  /** Differs after every change at all. */
  readonly version: string;
  /** When it was last changed, in milliseconds of the disk's clock. */
  readonly changedMs: number;
  /** Whether the next change shows, however soon it follows. */
  readonly isExact: boolean;
};

export type Kind = "file" | "link" | "folder" | "other";
export type Listed = { readonly name: string; readonly kind: Kind };

/** `store`: a folder of ours on the same disk, which the tree's scan leaves out; "" is the area's own folder. */
export type Place = { readonly area: "tree" | "store"; readonly path: string };

/** Of a file; as much of it as there is. */
export type Range = { readonly offset: number; readonly size: number };

export type Writing = { write(bytes: Uint8Array): void; close(): void };

/** Names by which a thread finds files of a tree, whatever becomes of their folders meanwhile. */
export type FileNames = readonly string[];
/** What came of one file of many: the hash of its bytes, or what failed. */
export type Hashed = PromiseSettledResult<string>;
/** `same`: it is of the version that was named. `other`: no plain file, or one that is being written; it is to be looked at in turn. */
export type Examined =
  | { readonly kind: "same" | "other" }
  | { readonly kind: "file"; readonly seen: Seen; readonly hash: string };
/** A file as it was seen in the store, and then where it was put. */
export type Placed = { readonly before: Seen | undefined; readonly after: Seen | undefined };

/** A file that was copied before its turn: as it was seen, what it held, and of its copy what `Seen` has of its bytes. */
export type CopiedAhead = {
  readonly seen: Seen;
  readonly hash: string;
  readonly copy: Seen["bytes"];
};

/** A folder of a tree as it is known. */
export type StampedFolder = {
  readonly path: string;
  /** Another after each change in it, but for what happens in the folders in it. */
  readonly stamp: string;
  /** Names in it that count by their names alone. */
  readonly left: readonly string[];
};

/** What a disk of this machine does with many files of its tree at once, in threads. */
export type Bulk = {
  /** For fewer it is not worth it. */
  readonly few: number;
  /** The same of a mere look: an edit in a folder of some files waits for no thread. */
  readonly many: number;
  /** @param files each with the version that is known of it */
  examine(
    files: readonly { readonly path: string; readonly version: string | null }[],
  ): Promise<readonly PromiseSettledResult<Examined>[]>;
  /** Numbers of those that are as they were stamped. */
  survey(folders: readonly StampedFolder[]): Promise<readonly number[]>;
  lend<T>(paths: readonly string[], work: (files: FileNames) => Promise<T>): Promise<T>;
  /** Makes files of the store, where nothing was. @param copies `from` is such a name, `to` a path of the store */
  copy(
    copies: readonly {
      readonly from: string;
      readonly to: string;
      readonly executable: boolean;
    }[],
  ): Promise<readonly Hashed[]>;
  /** The same of files up to a size, unless they are of the version that is named, or are being written: of those null. */
  copyAhead(
    copies: readonly {
      readonly from: string;
      readonly to: string;
      readonly version: string | null;
      readonly mostBytes: number;
    }[],
  ): Promise<readonly PromiseSettledResult<CopiedAhead | null>[]>;
  /** Files of the store get a name in the tree, where nothing stands, in exchange for the one they had. */
  place(
    moves: readonly { readonly from: string; readonly to: string }[],
  ): Promise<readonly PromiseSettledResult<Placed>[]>;
  /**
   * Files of the store and of the tree change places, where one of that version stands. Of those that fail nothing was
   * moved; of the others what came out lies in the store.
   */
  exchange(
    moves: readonly { readonly from: string; readonly to: string; readonly version: string }[],
  ): Promise<readonly PromiseSettledResult<Placed>[]>;
  /** Files of the store get another name in it, where nothing stands, if they are what is said. Those that fail stay where they are. */
  keep(moves: readonly KeptFile[]): Promise<readonly PromiseSettledResult<void>[]>;
};

/** A file that was displaced, as it was known; `from` and `to` are paths of the store. */
export type KeptFile = {
  readonly from: string;
  readonly to: string;
} & Pick<Seen, "bytes" | "executable">;

/**
 * What sync needs of a disk, a system call each, so that a test can act between any two of them. Nothing follows a
 * link, wherever on the way it stands: what lies behind one is not there. @throws `sync_unreadable`, `sync_conflict`
 */
export type Disk = {
  /** Which folder the tree is: another one of the same name has another. @throws `sync_unreadable` */
  identify(): string;
  see(place: Place): Seen | undefined;
  /** undefined: there is no such folder. */
  list(folder: Place): readonly Listed[] | undefined;
  readLink(place: Place): string | undefined;
  /** Each part until the next is asked for; nothing where no plain file stands. @param range else all of it */
  read(place: Place, range?: Range): Iterable<Uint8Array>;
  /** A file that was not there. */
  write(place: Place, executable: boolean): Writing;
  /** Two files change places in one instant. `unable`: not on this disk. */
  exchange(a: Place, b: Place): "done" | "gone" | "unable";
  /** A second name, where nothing stands yet; false: something does. */
  link(from: Place, to: Place): boolean;
  /** False: something stands there. */
  makeLink(target: string, to: Place): boolean;
  /** To where nothing of ours stands; false: nothing stands at `from`, or it cannot be moved there. */
  move(from: Place, to: Place): boolean;
  remove(place: Place): void;
  /** False: it is not empty, or none. */
  removeFolder(folder: Place): boolean;
  /** With those above it. */
  makeFolder(folder: Place): void;
  /** A small file of ours in the store: on the disk when it returns. */
  note(place: Place, text: string): void;
  /** Writes from the beginning of such a file, which stays as long as it was. A power cut may undo it, unless `durably`. */
  overwrite(place: Place, text: string, durably?: "durably"): Promise<void>;
  /** Adds to such a file, in one call, which a power cut may undo. */
  append(place: Place, text: string): void;
  /** Lets go of what it held open in between. */
  rest(): void;
  /** Lets whatever else waits have its turn, unless it just had one: a test says when. */
  breathe(): Promise<void>;
  /** Where it can do many things at once. */
  readonly bulk?: Bulk;
};

export function inTree(path: string): Place {
  return { area: "tree", path };
}

export function inStore(path: string): Place {
  return { area: "store", path };
}
