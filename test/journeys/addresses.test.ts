/** By which addresses an environment is reached, and what they keep apart: https, plain ports of the machine, cookies in Chromium. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { request as requestPlainly } from "node:http";
import { request } from "node:https";
import { createServer } from "node:net";
import path from "node:path";

import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";

import { createServerCertificate } from "../../src/base/certificates.ts";
import { findFreePort } from "../../src/process/process.ts";
import { environmentSchema, logLineSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { findChromium, openBrowser } from "./browser.ts";
import { eventually, fetchJson, fetchText, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

/** Says who it is and what cookies it gets; `/login?in=HOST` gives one for that host and those below it. */
const SERVER = `
import { createServer } from "node:http";
createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://x");
  if (pathname === "/crash") { console.error("Error: it was asked to"); process.exit(3); }
  const scope = searchParams.get("in");
  if (pathname === "/login")
    response.setHeader("set-cookie", "login=" + process.env.RAMET_ENV + (scope ? "; Domain=" + scope : ""));
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({
    environment: process.env.RAMET_ENV, process: process.argv[2], host: request.headers.host,
    proto: request.headers["x-forwarded-proto"], cookie: request.headers.cookie ?? "",
  }));
}).listen(process.env.PORT, process.env.HOST, () => console.log(JSON.stringify({ level: "info", msg: "listens", port: process.env.PORT })));
`;

const chromium = await findChromium();
const ABSENT = chromium === undefined ? ", which is not installed here" : "";

let stage: Stage;
let app: string;
let ports: { readonly web: number; readonly api: number };

beforeAll(async () => {
  stage = await openStage();
  app = path.join(stage.folder, "shop");
  await mkdir(app);
  ports = { web: await findFreePort(), api: await findFreePort() };
  const processes = {
    web: { command: "node server.mjs web", port: ports.web },
    api: { command: "node server.mjs api", port: ports.api },
  };
  await writeFile(path.join(app, "ramet.json"), JSON.stringify({ processes, database: false }));
  await writeFile(path.join(app, "server.mjs"), SERVER);
  await stage.json(app, ["init"]);
  await stage.json(app, ["env", "create", "feature", "--files", "kept"]);
}, 120_000);
afterAll(async () => stage.close());

async function show(name: string): Promise<EnvironmentView> {
  return environmentSchema.parse(await stage.json(app, ["env", "show", name]));
}

async function front(...argv: readonly string[]): Promise<EnvironmentView> {
  return environmentSchema.parse(await stage.json(app, ["env", "front", ...argv]));
}

async function asks(port: number): Promise<unknown> {
  return fetchJson(`http://localhost:${port}/`).catch((error: unknown) => String(error));
}

/** The status that a request gets which says that it is for this host. */
async function askAs(host: string, port: number, target = "/"): Promise<number> {
  return new Promise((resolve, reject) => {
    requestPlainly({ host: "127.0.0.1", port, path: target, headers: { host } }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode ?? 0));
    })
      .on("error", reject)
      .end();
  });
}

describe("env front", () => {
  test("leads the declared ports to one environment, until they are led to another or taken back", async () => {
    const fronts = [
      { port: ports.web, process: "web" },
      { port: ports.api, process: "api" },
    ];
    expect((await front("feature")).fronts).toEqual(fronts);
    const host = `localhost:${ports.web}`;
    expect(await asks(ports.web)).toMatchObject({ environment: "feature", process: "web", host });
    expect(await asks(ports.api)).toMatchObject({ environment: "feature", process: "api" });

    expect((await front("development")).fronts).toEqual(fronts);
    expect((await show("feature")).fronts).toEqual([]);
    expect(await asks(ports.web)).toMatchObject({ environment: "development" });
    const { stdout } = await stage.ramet(app, ["env", "list"]);
    expect(stdout).toMatch(new RegExp(`development .*:${ports.web} :${ports.api}`));
    expect(stdout).toMatch(/feature .* – /);

    expect((await front("development", "--off")).fronts).toEqual([]);
    expect(await asks(ports.web)).toContain("ECONNREFUSED");
  });

  test("outlives a restart of the server, wakes what sleeps, and ends with its environment", async () => {
    const port = await findFreePort();
    await stage.json(app, ["env", "create", "passing", "--files", "kept"]);
    await front("passing", "--port", String(port));
    await stage.json(app, ["server", "restart"]);
    await stage.json(app, ["env", "stop", "passing"]);
    expect(await asks(port)).toMatchObject({ environment: "passing", process: "web" });
    await stage.json(app, ["env", "delete", "passing", "--force"]);
    expect(await asks(port)).toContain("ECONNREFUSED");
  });

  test("a port that another program has is a problem, and changes nothing; one taken while the server was away is taken up later", async () => {
    const port = await findFreePort();
    const squatter = createServer();
    const listen = async (): Promise<void> =>
      new Promise((resolve) => void squatter.listen(port, "127.0.0.1", resolve));
    await listen();
    const refused = await stage.ramet(app, [
      "env",
      "front",
      "feature",
      "--port",
      String(port),
      "--json",
    ]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stdout).toContain("front_port_taken");
    expect((await show("feature")).fronts).toEqual([]);
    await new Promise((resolve) => squatter.close(resolve));

    await front("feature", "--port", String(port));
    await stage.json(app, ["server", "stop"]);
    await listen();
    expect((await show("feature")).problems).toMatchObject([{ code: "front_port_taken" }]);
    await new Promise((resolve) => squatter.close(resolve));
    await eventually(async () => expect((await show("feature")).problems).toEqual([]));
    expect(await asks(port)).toMatchObject({ environment: "feature" });
    await front("feature", "--off");
  });

  test("answers for names of this machine alone: a name that was rebound to it is 404", async () => {
    const port = await findFreePort();
    await front("feature", "--port", String(port));
    for (const host of ["evil.example", "shop--development.localhost", "feature"])
      expect(await askAs(host, port)).toBe(404);
    expect(await askAs("LOCALHOST", port)).toBe(200);
    await front("feature", "--off");
  });

  test.each([
    [["--off", "--port", "3000"], "flags_exclusive"],
    [["--port", "0"], "flag_invalid"],
    [["--port", "70000"], "flag_invalid"],
  ])("%j is a problem", async (argv, code) => {
    const ran = await stage.ramet(app, ["env", "front", "feature", ...argv, "--json"]);
    expect(ran).toMatchObject({ exitCode: 2, stdout: expect.stringContaining(code) });
  });
});

test("every address answers https too, with a certificate that whoever trusts this server's authority accepts", async () => {
  const { url } = await show("feature");
  const address = new URL(url ?? "");
  await expect(askSecurely(address, "")).rejects.toThrow(/certificate/);
  const ca = await readFile(path.join(stage.home, "keys", "authority.crt"), "utf8");
  expect(await askSecurely(address, ca)).toMatchObject({ environment: "feature", proto: "https" });
});

async function askSecurely({ port, host, hostname }: URL, ca: string): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    // Each has a connection of its own, and so sees the certificate of the moment.
    const to = { host: "127.0.0.1", port, servername: hostname, ca, agent: false };
    request({ ...to, headers: { host } }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve(body));
    })
      .on("error", reject)
      .end();
  });
  return JSON.parse(text);
}

test("environments are below a domain of one's own too, by a certificate of one's own, which may be renewed", async () => {
  const domain = "dev.example.com";
  const files = [path.join(stage.folder, "full.pem"), path.join(stage.folder, "key.pem")] as const;
  const flags = ["--certificate", files[0], "--key", files[1]];
  const port = new URL((await show("feature")).url ?? "").port;
  const visit = async (name: string, ca: string): Promise<unknown> =>
    askSecurely(new URL(`https://${name}:${port}`), ca);
  const renew = async (host: string): Promise<string> => {
    const validity = { from: new Date(Date.now() - 1000), until: new Date(Date.now() + 3_600_000) };
    const pair = await createServerCertificate([host], { validity, authority: null });
    await writeFile(files[0], pair.certificate);
    await writeFile(files[1], pair.key);
    return pair.certificate;
  };

  await renew("*.other.example.com");
  const unfit = await stage.ramet(app, ["server", "domain", domain, ...flags, "--json"]);
  expect(unfit).toMatchObject({
    exitCode: 2,
    stdout: expect.stringContaining("certificate_unfit"),
  });
  const first = await renew(`*.${domain}`);
  await expect(visit(`shop--feature.${domain}`, first)).rejects.toThrow();
  await stage.json(app, ["server", "domain", domain, ...flags]);
  expect(await visit(`shop--feature.${domain}`, first)).toMatchObject({ environment: "feature" });
  expect(await visit(`shop--development--api.${domain}`, first)).toMatchObject({
    environment: "development",
    process: "api",
    host: `shop--development--api.${domain}:${port}`,
  });
  const second = await renew(`*.${domain}`);
  expect(await visit(`shop--feature.${domain}`, second)).toMatchObject({ environment: "feature" });
  expect(await visit(`shop--nobody.${domain}`, second)).toMatchObject({
    problem: { code: "host_unknown" },
  });
  expect(await stage.json(app, ["server", "domain", "--off"])).toBeNull();
  await expect(visit(`shop--feature.${domain}`, second)).rejects.toThrow(/certificate|altnames/i);
  expect(await askAs(`shop--feature.${domain}`, Number(port))).toBe(404);
});

test("logs --access are what was asked through the gateway; those of processes do not hold it", async () => {
  const { url } = await show("feature");
  const { host, port } = new URL(url ?? "");
  expect(await askAs(host, Number(port), "/a-page?x=1")).toBe(200);
  const lines = await eventually(async () => {
    const found = logLineSchema
      .array()
      .parse(await stage.json(app, ["logs", "--env", "feature", "--access", "--grep", "a-page"]));
    expect(found).toHaveLength(1);
    return found;
  });
  expect(lines).toMatchObject([
    { process: "gateway", level: "info", message: "GET /a-page?x=1", fields: { status: 200 } },
  ]);
  const { stdout } = await stage.ramet(app, ["logs", "--env", "feature"]);
  expect(stdout).not.toContain("a-page");
  expect(stdout).toMatch(/web │ INFO {2}listens port=\d+/);
});

describe.skipIf(chromium === undefined)(`in Chromium${ABSENT}`, () => {
  let browser: Browser;
  let context: BrowserContext;
  let feature: URL;
  let development: URL;

  beforeAll(async () => {
    browser = await openBrowser(chromium ?? "");
    for (const name of ["feature", "development"]) await stage.json(app, ["env", "start", name]);
    feature = new URL((await show("feature")).url ?? "");
    development = new URL((await show("development")).url ?? "");
  }, 60_000);
  afterAll(async () => browser.close());
  beforeEach(async () => {
    context = await browser.newContext();
  });

  const seen = z.object({ cookie: z.string(), environment: z.string(), process: z.string() });

  async function visit(address: string): Promise<z.infer<typeof seen>> {
    const page = await context.newPage();
    await page.goto(address);
    return seen.parse(JSON.parse(await page.locator("body").innerText()));
  }

  test("a login at one process holds at the other of its environment, and at no other environment", async () => {
    await visit(`${feature.origin}/login?in=${feature.hostname}`);
    const own = { environment: "feature", cookie: "login=feature" };
    expect(await visit(feature.origin)).toMatchObject({ ...own, process: "web" });
    expect(await visit(apiOf(feature))).toMatchObject({ ...own, process: "api" });
    expect(await visit(development.origin)).toMatchObject({ cookie: "" });
    expect(await visit(apiOf(development))).toMatchObject({ cookie: "" });
  });

  test.each(["localhost", ".localhost", "", "development"])(
    "a cookie that an environment gives for %j reaches no other",
    async (scope) => {
      const wide = scope === "development" ? development.hostname : scope;
      await visit(`${feature.origin}/login?in=${wide}`);
      await visit(`${apiOf(feature)}/login?in=${wide}`);
      expect(await visit(development.origin)).toMatchObject({ cookie: "" });
      expect(await visit(apiOf(development))).toMatchObject({ cookie: "" });
    },
  );

  test("on plain ports of one host the same cookie does reach another: it is the host names that keep them apart", async () => {
    await front("feature", "--port", String(ports.web));
    await front("development", "--port", String(ports.api));
    await visit(`http://localhost:${ports.web}/login`);
    expect(await visit(`http://localhost:${ports.api}`)).toMatchObject({
      environment: "development",
      cookie: "login=feature",
    });
    await front("feature", "--off");
    await front("development", "--off");
  });
});

function apiOf(url: URL): string {
  return `http://api.${url.host}`;
}

test("a process that falls again and again is told as that, with its last lines to whoever asks for a page or for JSON", async () => {
  const { url } = await show("feature");
  for (let n = 0; n < 3; n += 1) {
    await eventually(async () =>
      expect(await fetchJson(`${url}/`)).toMatchObject({ process: "web" }),
    );
    await fetchText(`${url}/crash`).catch((error: unknown) => error);
  }
  await eventually(async () => {
    expect((await show("feature")).problems).toMatchObject([{ code: "crash_loop" }]);
  });
  const [problem] = (await show("feature")).problems;
  expect(problem?.message).toContain("ended 3 times");
  expect(problem?.message).toMatch(/exited with code 3:\n(?:.*\n)* {2}Error: it was asked to/);
  const errors = logLineSchema
    .array()
    .parse(
      await stage.json(app, ["logs", "--env", "feature", "--level", "error", "--since", "5m"]),
    );
  expect(errors.map(({ text }) => text)).toContain("exited with code 3");
  await eventually(async () =>
    expect(await fetchJson(`${url}/`)).toMatchObject({ process: "web" }),
  );
}, 60_000);
