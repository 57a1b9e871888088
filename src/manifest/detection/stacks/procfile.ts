import { findPortFlags } from "../../reading/script-tool.ts";
import { GEM_FOLDERS, INSTALL_GEMS } from "./gems.ts";
import { findDriver, namesPackages, readPython } from "./python.ts";
import type { AppFiles, Stack, StackProcess } from "./stack.ts";

export type Procfile = {
  readonly file: string;
  readonly processes: readonly StackProcess[];
  /** What is run before each release: the migrations, as a rule. */
  readonly release: string | null;
};

/** For a platform; `Procfile.dev` is for a developer's machine. */
const PLATFORM_FILE = "Procfile";

const LINE = /^([A-Za-z0-9_-]+):\s*(.+)$/;
/** Whoever answers requests says so by its name, or by the port that it takes. */
const ANSWERS = /^(?:web|api|server|frontend|backend|vite)$/;
const TAKES_PORT = /\$\{?PORT\b/;

/** undefined: there is none, or nothing in it. */
export async function readProcfile(
  { read }: AppFiles,
  file: string,
): Promise<Procfile | undefined> {
  const lines = ((await read(file)) ?? "").split(/\r?\n/).flatMap((line) => {
    const [, name, command] = LINE.exec(line.trim()) ?? [];
    return name === undefined || command === undefined ? [] : [{ name, command }];
  });
  const release = lines.find(({ name }) => name === "release")?.command ?? null;
  const processes = lines.filter(({ name }) => name !== "release").map(toProcess);
  return processes.length === 0 ? undefined : { file, processes, release };
}

/** Foreman gives every process a port; here it is told to those that plainly take one. */
function toProcess({ name, command }: { name: string; command: string }): StackProcess {
  const flags = TAKES_PORT.test(command) ? null : findPortFlags(command);
  const answers = ANSWERS.test(name) || TAKES_PORT.test(command) || flags !== null;
  const role = name === "web" ? "page" : "server";
  return {
    label: name,
    role: answers ? role : "worker",
    command: flags === null ? command : `${command} ${flags}`,
  };
}

/** An app of which nothing else is known: its processes as a platform would run them. */
export async function findPlatformProcfile(files: AppFiles): Promise<Stack | undefined> {
  const procfile = await readProcfile(files, PLATFORM_FILE);
  if (procfile === undefined) return undefined;
  const python = await readPython(files);
  const hasGems = files.paths.has("Gemfile");
  return {
    name: "its processes",
    file: procfile.file,
    processes: procfile.processes,
    setup: [...python.setup, ...(hasGems ? [INSTALL_GEMS] : [])],
    migrate: procfile.release,
    seed: null,
    engine: findDriver(python, namesPackages(files) ?? procfile.file),
    clone: [...python.clone, ...(hasGems ? GEM_FOLDERS : [])],
    texts: {},
    warnings: [],
  };
}
