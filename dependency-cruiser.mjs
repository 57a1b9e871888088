/** The architecture, as rules. ARCHITECTURE.md explains each of them, and a tidy test compares the two. */
const room = (name) => `^src/${name}/`;
const TEST = "\\.test\\.ts$";
/** What tests share; no build holds it. */
const FOR_TESTS = "(/fixtures/|/test-[^/]+\\.ts$)";

/**
 * room -> rooms it may import, besides itself.
 * @type {Record<string, string[]>}
 */
export const MAY_IMPORT = {
  base: [],
  environment: ["base"],
  protocol: ["base", "environment"],
  process: ["base"],
  manifest: ["base", "environment"],
  workspace: ["base", "environment", "process"],
  access: ["base"],
  sync: ["base", "files"],
  files: ["base", "environment", "process"],
  database: ["base", "environment", "process"],
  runtime: ["base", "environment", "process"],
  probes: [],
  variables: ["base", "environment"],
  gateway: ["base", "environment"],
  storage: ["base", "process"],
  limits: ["base", "environment"],
  engine: [
    "base",
    "environment",
    "process",
    "manifest",
    "files",
    "database",
    "runtime",
    "limits",
    "variables",
    "workspace",
    "probes",
  ],
  server: [
    "base",
    "environment",
    "protocol",
    "process",
    "manifest",
    "files",
    "database",
    "runtime",
    "variables",
    "gateway",
    "sync",
    "storage",
    "access",
    "engine",
  ],
  cli: ["base", "environment", "protocol", "process", "manifest", "workspace", "sync", "storage"],
};

/** Vocabulary: other rooms import any of their files. */
const OPEN_ROOMS = ["base", "protocol", "environment"];
const DOOR = "^src/([^/]+)/\\1\\.ts$";

const layers = Object.entries(MAY_IMPORT).map(([name, allowed]) => ({
  name: `room-${name}`,
  comment: `${name} may import only: ${[name, ...allowed].join(", ")}`,
  severity: "error",
  from: { path: room(name), pathNot: TEST },
  to: { path: "^src/", pathNot: [name, ...allowed].map(room) },
}));

export default {
  forbidden: [
    ...layers,
    {
      name: "every-room-is-listed",
      comment: "A new room says here what it may import.",
      severity: "error",
      from: { path: "^src/[^/]+/", pathNot: Object.keys(MAY_IMPORT).map(room) },
      to: {},
    },
    {
      name: "use-the-door",
      comment: "Other rooms import a room through the file that bears its name.",
      severity: "error",
      from: { path: "^src/([^/]+)/", pathNot: TEST },
      to: { path: "^src/([^/]+)/", pathNot: ["^src/$1/", DOOR, ...OPEN_ROOMS.map(room)] },
    },
    {
      name: "main-uses-doors",
      comment: "The entry point too knows doors alone.",
      severity: "error",
      from: { path: "^src/main\\.ts$" },
      to: { path: "^src/", pathNot: [DOOR, ...OPEN_ROOMS.map(room)] },
    },
    {
      name: "nobody-imports-main",
      comment:
        "main.ts does something when imported, as start.js does, which becomes it; nothing else does.",
      severity: "error",
      from: { pathNot: "^src/start\\.js$" },
      to: { path: "^src/main\\.ts$" },
    },
    {
      name: "pure",
      comment: "The domain and the sync core decide; they do no I/O.",
      severity: "error",
      from: { path: ["^src/environment/", "^src/sync/core/"], pathNot: TEST },
      to: { dependencyTypes: ["core", "npm"] },
    },
    {
      name: "one-spawner",
      comment: "Only process/ starts programs; probes/ is a program of its own, which tries to.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/process/", "^src/probes/", TEST] },
      to: { path: "^(node:)?child_process$" },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "tests-stay-outside",
      comment: "What ships imports no test, and no development dependency.",
      severity: "error",
      from: { path: "^src/", pathNot: [TEST, FOR_TESTS] },
      to: { path: [TEST, "^test/"] },
    },
    {
      name: "no-development-dependency-ships",
      severity: "error",
      from: { path: "^src/", pathNot: [TEST, FOR_TESTS] },
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"],
        dependencyTypesNot: ["npm"],
        pathNot: "/@types/",
      },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".js", ".mjs"],
    },
  },
};
