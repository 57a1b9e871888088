/**
 * What there is to get hold of, as whoever wants to break out might know or guess it: nothing is safe by being unknown.
 * Paths and process numbers are those of the machine.
 */
export type Targets = {
  readonly own: {
    readonly tree: string;
    /** Of its processes: to write in. */
    readonly home: string;
    readonly keeper: number;
    readonly keeperSocket: string;
    readonly logs: string;
    readonly databaseSocket: string;
    /** What git runs by itself, and whom a folder belongs to; below a linked tree. */
    readonly guarded: readonly string[];
  };
  readonly neighbour: {
    readonly id: string;
    readonly folder: string;
    readonly tree: string;
    readonly variables: string;
    readonly logs: string;
    readonly database: string;
    readonly databaseSocket: string;
    readonly databaseName: string;
    readonly keeperSocket: string;
    /** By which the gateway reaches its app. */
    readonly app: { readonly path: string } | { readonly host: string; readonly port: number };
    readonly process: number;
  };
  readonly witness: WitnessReport;
  readonly server: {
    readonly process: number;
    readonly home: string;
    readonly data: string;
    readonly apps: string;
    readonly keys: string;
    readonly token: string;
    readonly file: string;
    /** Where its own may be. */
    readonly sockets: readonly string[];
    readonly wayOut: string;
    /** Where copies of packages wait for whoever is forked next. */
    readonly spares: readonly string[];
    readonly databasePort: number;
  };
  readonly machine: {
    readonly hostname: string;
    /** Files in the folder of whoever its processes run as, and in root's. */
    readonly personal: readonly string[];
    /** Disks, by their files. */
    readonly disks: readonly string[];
    /** As `/proc/self/ns/pid` names it: elsewhere its process numbers mean others. */
    readonly processNamespace: string;
    /** The folders of the environment's own control groups; empty: the machine gives none. */
    readonly groups: readonly string[];
  };
  readonly network: "open" | "none" | readonly string[];
  /** As its processes are given it; null: it has no database. */
  readonly databaseUrl: string | null;
};

/** The environment's own variable it finds inside. */
export type PlantedTargets = Omit<Targets, "databaseUrl">;

/** Where a process outside, of the same user, holds a canary out for the taking. */
export type WitnessReport = {
  readonly process: number;
  readonly folder: string;
  /** In its memory: where its program begins. */
  readonly address: string;
  readonly port: number;
  /** null: the machine has no such addresses. */
  readonly port6: number | null;
  readonly outer: { readonly host: string; readonly port: number } | null;
  readonly datagramPort: number;
  readonly socket: string;
  readonly abstract: string;
  /** Of POSIX, by its file. */
  readonly sharedMemory: string | null;
  /** Of System V, by its number. */
  readonly segment: string | null;
  /** In its user's keyring. */
  readonly key: string | null;
};

/** The name of a file that holds one. */
export const CANARY_FILE = "canary.txt";

/** What is not to be found; the program that looks for it does not know it. */
const CANARY = /ramet-canary-[0-9a-f]{32}/;

export function formatCanary(random: string): string {
  return `ramet-canary-${random}`;
}

/** null: there is none in it. */
export function findCanary(text: string | Uint8Array): string | null {
  const found = CANARY.exec(typeof text === "string" ? text : Buffer.from(text).toString("latin1"));
  return found === null ? null : `read ${found[0].slice(0, 19)}…`;
}
