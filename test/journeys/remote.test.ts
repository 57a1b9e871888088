import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { tokenSchema } from "../../src/protocol/access-schemas.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import { findInFiles, watchArguments } from "./canaries.ts";
import { openMachines } from "./machines.ts";
import type { Machines } from "./machines.ts";
import { eventually, ROOT } from "./stage.ts";

const MANIFEST = {
  app: "paper",
  processes: { web: { command: "node server.mjs", ready: { http: "/" } } },
  database: { migrate: "true" },
};
const FILES = {
  "ramet.json": JSON.stringify(MANIFEST),
  "package.json": JSON.stringify({ name: "paper", type: "module" }),
  "server.mjs": [
    'import { createServer } from "node:http";',
    'console.log("paper is served");',
    'createServer((_request, response) => response.end("paper"))',
    "  .listen(process.env.PORT, process.env.HOST);",
  ].join("\n"),
};
const SECRET = "sk_test_canary_4242";

const secrets: string[] = [];
const watch = watchArguments(() => secrets);

let machines: Machines;
let token: { readonly id: string; readonly text: string };
let clone: string;

beforeAll(async () => {
  machines = await openMachines(FILES);
  const { server, app } = machines;
  await server.json(app, ["user", "add", "anna"]);
  token = await makeToken("anna", "--label", "laptop");
  clone = path.join(machines.client.folder, "clone");
  await server.git(machines.client.folder, "clone", "-q", app, clone);
});
afterAll(async () => machines.close());

async function makeToken(
  user: string,
  ...flags: readonly string[]
): Promise<{ id: string; text: string }> {
  const { server, app } = machines;
  const answer = await server.json(app, ["token", "create", user, ...flags]);
  const made = tokenSchema.extend({ text: tokenSchema.shape.id }).parse(answer);
  secrets.push(made.text);
  return made;
}

/** Where a token is to be kept. */
function isLogin(file: string): boolean {
  return path.basename(file) === "login.json";
}

/** As a script says which server it means. */
function as(text: string): Record<string, string> {
  return {
    RAMET_SERVER: machines.url,
    RAMET_TOKEN: text,
    RAMET_CA: machines.certificateFile,
  };
}

test("without a token, or with the certificate of a stranger, nothing is let in or sent", async () => {
  const { client, url } = machines;
  const unknown = await machines.ramet(client.folder, ["app", "list", "--json"], {
    RAMET_SERVER: url,
    RAMET_TOKEN: token.text,
  });
  expect(unknown).toMatchObject({ exitCode: 2 });
  expect(unknown.stdout).toContain("server_untrusted");
  const stranger = await machines.ramet(client.folder, ["app", "list", "--json"], as("ramet_no"));
  expect(stranger).toMatchObject({ exitCode: 2 });
  expect(stranger.stdout).toContain("token_refused");
});

test("one logs in by a certificate's fingerprint, and the token is kept for oneself alone", async () => {
  const { client, url } = machines;
  const log = await readFile(path.join(machines.server.home, "server.log"), "utf8");
  const fingerprint = /SHA-256 ([0-9A-F:]{95})/.exec(log)?.[1] ?? "";
  const other = `${fingerprint.slice(0, -2)}${fingerprint.endsWith("00") ? "01" : "00"}`;
  const environment = { RAMET_TOKEN: token.text };
  const login = async (...flags: readonly string[]): Promise<string> =>
    (await machines.ramet(client.folder, ["login", url, ...flags, "--json"], environment)).stdout;
  expect(await login()).toContain("fingerprint_unconfirmed");
  expect(await login("--fingerprint", other)).toContain("fingerprint_other");
  expect(await readdir(client.home)).not.toContain("login.json");
  expect(JSON.parse(await login("--fingerprint", fingerprint))).toMatchObject({
    url,
    token: { id: token.id, user: "anna", right: "write" },
  });
  expect((await stat(path.join(client.home, "login.json"))).mode & 0o777).toBe(0o600);
  expect(await machines.json(client.folder, ["whoami"])).toMatchObject({
    url,
    token: { user: "anna" },
  });
});

test("the guide's commands work on a server elsewhere as they do here", async () => {
  const made = await machines.json(clone, ["env", "create", "agent-feature", "--use"]);
  expect(made).toMatchObject({
    app: "paper",
    name: "agent-feature",
    parent: "development",
    state: "awake",
    url: null,
    files: { kind: "kept" },
  });
  await machines.json(clone, ["var", "set", "MODE=plain", "--env", "development"]);
  await machines.json(clone, [
    "var",
    "import",
    "--from",
    "development",
    "--all",
    "--include-values",
  ]);
  await machines.json(clone, ["var", "set", `STRIPE_KEY=${SECRET}`, "--secret"]);
  expect(await machines.json(clone, ["var", "list"])).toEqual([
    { name: "MODE", secret: false, value: "plain" },
    { name: "STRIPE_KEY", secret: true, value: null },
  ]);
  expect(await machines.json(clone, ["db", "query", "select 40 + 2"])).toMatchObject({
    rows: [["42"]],
  });
  expect((await machines.ramet(clone, ["logs"])).stdout).toContain("paper is served");
  expect((await machines.ramet(clone, ["env", "list"])).stdout).toMatch(
    /agent-feature \(here\) +awake/,
  );
});

test("a command with its variables reaches the database through a tunnel of its own", async () => {
  const program = "console.log(process.env.STRIPE_KEY, process.env.DATABASE_URL)";
  const ran = await machines.ramet(clone, ["run", "--", process.execPath, "-e", program]);
  expect(ran).toEqual({ exitCode: 0, stderr: "", stdout: expect.stringContaining(SECRET) });
  const [, secret, port] =
    /^(\S+) postgres(?:ql)?:\/\/\S+@127\.0\.0\.1:(\d+)\//.exec(ran.stdout) ?? [];
  expect(secret).toBe(SECRET);
  expect(Number(port)).toBeGreaterThan(0);
  const driver = path.join(ROOT, "node_modules", "pg", "esm", "index.mjs");
  const query = [
    `import pg from ${JSON.stringify(driver)};`,
    "const client = new pg.Client({ connectionString: process.env.DATABASE_URL });",
    "await client.connect();",
    'console.log((await client.query("select 6 * 7 as answer")).rows[0].answer);',
    "await client.end();",
  ].join("");
  const node = [process.execPath, "--input-type=module", "-e", query];
  expect((await machines.ramet(clone, ["run", "--", ...node])).stdout.trim()).toBe("42");
});

async function asked(...argv: readonly string[]): Promise<string> {
  return (await machines.ramet(clone, [...argv, "--json"])).stdout;
}

test("files go there and come back, and what both changed stays as it is", async () => {
  const here = path.join(clone, "notes.txt");
  const there = path.join(await keptFolder(), "notes.txt");
  await writeFile(here, "ours\n");
  expect(await machines.json(clone, ["push"])).toMatchObject({ changed: ["notes.txt"] });
  expect(await readFile(there, "utf8")).toBe("ours\n");
  await writeFile(there, "theirs\n");
  expect(await machines.json(clone, ["status"])).toMatchObject({ remote: ["notes.txt"] });
  expect(await machines.json(clone, ["pull"])).toMatchObject({ changed: ["notes.txt"] });
  expect(await readFile(here, "utf8")).toBe("theirs\n");
  await writeFile(here, "ours again\n");
  await writeFile(there, "theirs again\n");
  const refused = await machines.ramet(clone, ["push", "--json"]);
  expect(refused).toMatchObject({ exitCode: 3 });
  expect(refused.stdout).toContain("sync_conflict");
  expect(await readFile(there, "utf8")).toBe("theirs again\n");
  const large = "0123456789abcdef".repeat(400_000);
  await writeFile(path.join(clone, "large.bin"), large);
  await machines.json(clone, ["push", "--force"]);
  expect(await readFile(there, "utf8")).toBe("ours again\n");
  expect(await readFile(path.join(await keptFolder(), "large.bin"), "utf8")).toBe(large);
});

test("dev carries edits both ways while it runs, also over a restart of the server, a network that is gone, and a sleep", async () => {
  const developing = await machines.start(clone, ["dev"]);
  const kept = await keptFolder();
  await eventually(async () => expect(developing.seen()).toContain("paper is served"));
  await writeFile(path.join(clone, "here.txt"), "here\n");
  await eventually(async () =>
    expect(await readFile(path.join(kept, "here.txt"), "utf8")).toBe("here\n"),
  );
  await writeFile(path.join(kept, "there.txt"), "there\n");
  await eventually(async () =>
    expect(await readFile(path.join(clone, "there.txt"), "utf8")).toBe("there\n"),
  );
  await machines.server.json(machines.app, ["server", "restart"]);
  await writeFile(path.join(clone, "here.txt"), "after\n");
  await eventually(async () =>
    expect(await readFile(path.join(kept, "here.txt"), "utf8")).toBe("after\n"),
  );
  machines.relay.cut("refuse");
  await writeFile(path.join(clone, "here.txt"), "without a network\n");
  machines.relay.mend();
  await eventually(async () =>
    expect(await readFile(path.join(kept, "here.txt"), "utf8")).toBe("without a network\n"),
  );
  developing.send("SIGSTOP");
  machines.relay.cut("reset");
  await writeFile(path.join(kept, "there.txt"), "while it slept\n");
  machines.relay.mend();
  developing.send("SIGCONT");
  await eventually(async () =>
    expect(await readFile(path.join(clone, "there.txt"), "utf8")).toBe("while it slept\n"),
  );
  expect(await asked("dev")).toContain("dev_running");
  await developing.stop();
});

async function keptFolder(): Promise<string> {
  const shown = environmentSchema.parse(await machines.json(clone, ["env", "show"]));
  return shown.files.path;
}

test("what is about the server's own machine is asked for there alone", async () => {
  expect(await asked("env", "front", "--port", "3999")).toContain("owner_only");
  expect(await asked("init")).toContain("app_made_elsewhere");
  expect(await asked("env", "create", "x", "--files", "linked")).toContain("files_linked_afar");
  expect(await asked("env", "use", "development")).toContain("environment_of_other_folder");
  expect(await asked("user", "list")).toContain("scope_too_small");
  expect(await asked("app", "delete", "paper", "--force")).toContain("scope_too_small");
  expect(await asked("db", "url")).toContain("tunnel_needed");
});

test("a token is good for what it says, and for nothing else", async () => {
  const [reader, stranger] = [
    await makeToken("anna", "--read"),
    await makeToken("anna", "--apps", "other"),
  ];
  const { folder } = machines.client;
  const ask = async (text: string, ...argv: readonly string[]): Promise<unknown> =>
    JSON.parse((await machines.ramet(folder, [...argv, "--json"], as(text))).stdout);
  const all = ["env", "list", "--all"];
  expect(await ask(reader.text, ...all)).toMatchObject([
    { name: "development", databaseUrl: null },
    { name: "agent-feature", databaseUrl: null },
  ]);
  const refused = { problem: { code: "scope_too_small" } };
  const about = ["--app", "paper", "--env", "agent-feature"];
  expect(await ask(reader.text, "var", "set", "A=b", ...about)).toMatchObject(refused);
  expect(await ask(reader.text, "db", "query", "select 1", ...about)).toMatchObject(refused);
  expect(await ask(stranger.text, ...all)).toEqual([]);
  expect(await ask(stranger.text, "app", "list")).toEqual([]);
  expect(await ask(stranger.text, "var", "list", ...about)).toMatchObject(refused);
});

test("what goes on ends as soon as its token is revoked", async () => {
  const lent = await makeToken("anna", "--label", "lent");
  const about = ["--app", "paper", "--env", "agent-feature"];
  const following = await machines.start(clone, ["logs", "-f", ...about], as(lent.text));
  await eventually(async () => expect(following.seen()).toContain("paper is served"));
  await machines.server.json(machines.app, ["token", "revoke", lent.id]);
  expect(await following.ended).toBe(2);
  expect(following.seen()).toContain("does not take this token");
});

test("a server that is started anew listens as before, and whoever follows its logs goes on", async () => {
  const about = ["--app", "paper", "--env", "agent-feature"];
  const following = await machines.start(clone, ["logs", "-f", ...about], as(token.text));
  await eventually(async () => expect(following.seen()).toContain("paper is served"));
  await machines.server.json(machines.app, ["server", "restart"]);
  await eventually(async () => expect(following.seen()).toContain("Connected again"));
  await following.stop();
  expect(await machines.json(clone, ["whoami"])).toMatchObject({ token: { user: "anna" } });
});

test("who changed what is written down, and no secret is", async () => {
  const written = await machines.server.json(machines.app, ["audit", "--last", "1000"]);
  expect(written).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        user: "anna",
        token: token.id,
        call: "variable.set",
        app: "paper",
        environment: "agent-feature",
        subject: "STRIPE_KEY",
        outcome: "done",
      }),
      expect.objectContaining({ user: null, call: "token.revoke", outcome: "done" }),
      expect.objectContaining({ call: "variable.set", outcome: "scope_too_small" }),
    ]),
  );
});

test("no secret or token is in a file but where it is to be kept, nor among any program's arguments", async () => {
  const { client, server } = machines;
  const all = [...secrets, SECRET];
  // Of the server's own home: a user's token is in none of it, and a secret only where it is sealed.
  expect(await findInFiles(server.home, all, () => false)).toEqual([]);
  expect(await findInFiles(client.home, all, isLogin)).toEqual([]);
  expect(await findInFiles(clone, all, () => false)).toEqual([]);
  expect(await watch.stop()).toEqual([]);
});

test("deleting it takes the binding too, and logging out leads back to one's own server", async () => {
  await machines.json(clone, ["env", "delete", "agent-feature", "--force"]);
  expect((await machines.ramet(clone, ["status", "--json"])).stdout).toContain(
    "environment_unbound",
  );
  expect(await machines.json(clone, ["logout"])).toEqual({ wasLoggedIn: true });
  expect(await machines.json(clone, ["logout"])).toEqual({ wasLoggedIn: false });
  expect(await machines.server.json(machines.app, ["doctor"])).toMatchObject({ leftovers: [] });
});
