import { once } from "node:events";

import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import { runProgram } from "../../process/process.ts";
import { openWireGateway, queryDatabase } from "../database.ts";
import type { Database } from "../database.ts";
import { asAdmin, failureOf } from "../test-home.ts";
import { PROTOCOL_3_0, formatStartupPacket } from "./startup-packet.ts";
import {
  BROKEN,
  GONE,
  ONE,
  SLOW,
  TWO,
  askFirst,
  dial,
  exchange,
  openTestWire,
  routeTo,
} from "./test-wire.ts";
import type { TestWire } from "./test-wire.ts";

let wire: TestWire;

beforeAll(async () => {
  wire = await openTestWire();
});

afterAll(async () => {
  await wire.close();
});

test.each([false, true])("a client connects by URL as it stands (TLS: %s)", async (ssl) => {
  await wire.withPg({ ssl }, async (client) => {
    expect(await askFirst(client, "SELECT current_user || ' ' || current_database()")).toBe(
      "app my-shop",
    );
    const { rows } = await client.query("SELECT $1::int + 1 AS n", [1]);
    expect(rows).toEqual([{ n: 2 }]);
  });
});

test("the user's name says which environment it is, and another one's password is wrong there", async () => {
  await wire.withPg(
    { url: wire.urlOf(TWO, wire.two.record.appPassword, "/blog") },
    async (client) => {
      expect(await askFirst(client, "SELECT current_database()")).toBe("blog");
    },
  );
  await expect(
    wire.withPg({ url: wire.urlOf(TWO, wire.one.record.appPassword) }, async () => {}),
  ).rejects.toMatchObject({ code: "28P01" });
});

test("who names no database gets the app's, who names another gets that", async () => {
  for (const [rest, database] of [
    ["", "my-shop"],
    [`/${ONE}`, "my-shop"],
    ["/postgres", "postgres"],
  ] as const) {
    await wire.withPg(
      { url: wire.urlOf(ONE, wire.one.record.appPassword, rest) },
      async (client) => {
        expect(await askFirst(client, "SELECT current_database()")).toBe(database);
      },
    );
  }
  await expect(
    wire.withPg({ url: wire.urlOf(ONE, wire.one.record.appPassword, "/nothing") }, async () => {}),
  ).rejects.toMatchObject({ code: "3D000" });
});

test("other parameters reach the server", async () => {
  await wire.withPg(
    {
      url: `${wire.urlOf(ONE, wire.one.record.appPassword)}?application_name=mine&options=-c%20work_mem%3D5MB`,
    },
    async (client) => {
      expect(await askFirst(client, "SHOW application_name")).toBe("mine");
      expect(await askFirst(client, "SHOW work_mem")).toBe("5MB");
    },
  );
});

test("an unknown user gets the answer to a wrong password", async () => {
  for (const user of ["nobody", "app", "ramet"]) {
    await expect(wire.withPg({ url: wire.urlOf(user, "x") }, async () => {})).rejects.toMatchObject(
      {
        code: "28P01",
        message: `password authentication failed for user "${user}"`,
      },
    );
  }
});

test("a problem on the way to the database is told, with its remedy", async () => {
  await expect(wire.withPg({ url: wire.urlOf(BROKEN, "x") }, async () => {})).rejects.toMatchObject(
    {
      code: "57P03",
      message: "It is broken.",
      hint: "Mend it.",
    },
  );
  await expect(wire.withPg({ url: wire.urlOf(GONE, "x") }, async () => {})).rejects.toMatchObject({
    code: "57P03",
  });
});

test.each([false, true])("large answers and large questions pass whole (TLS: %s)", async (ssl) => {
  await wire.withPg({ ssl }, async (client) => {
    const text = "0123456789".repeat(1_000_000);
    const { rows } = await client.query("SELECT $1::text AS text, md5($1) AS sum", [text]);
    expect(rows[0]?.text === text).toBe(true);
    expect(rows[0]?.sum).toBe(await askFirst(client, "SELECT md5(repeat('0123456789', 1000000))"));
  });
});

test("a client that does not read is not read ahead of", async () => {
  await wire.withPg({}, async (client) => {
    client.connection.stream.pause();
    const asked = client.query("SELECT repeat('x', 100000) FROM generate_series(1, 2000)");
    const waits = await waitFor(
      async () => {
        const { rows } = await queryDatabase(
          wire.one,
          "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite'",
        );
        return rows[0]?.[0] === "1" ? true : undefined;
      },
      { timeoutMs: 10_000 },
    );
    expect(waits).toBe(true);
    client.connection.stream.resume();
    expect((await asked).rowCount).toBe(2000);
  });
});

test("a cancel request ends the statement it is for, by a key that is not the server's", async () => {
  await wire.withPg({}, async (client) => {
    const sleeping = client.query("SELECT pg_sleep(600)");
    const ended = failureOf(sleeping);
    const { processID, secretKey } = readKey(client);
    const [pid] = await asAdmin(
      wire.one,
      async (admin) =>
        (
          await admin.query<{ pid: number }>(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'",
          )
        ).rows,
    );
    expect(pid?.pid).not.toBe(processID);
    const request = Buffer.alloc(16);
    request.writeUInt32BE(16, 0);
    request.writeUInt32BE(80_877_102, 4);
    request.writeUInt32BE(processID, 8);
    request.writeInt32BE(secretKey ^ 1, 12);
    expect(await exchange(request, dial(wire.port))).toBe("");
    expect(await askStates(wire.one)).toContain("active");
    request.writeInt32BE(secretKey, 12);
    expect(await exchange(request, dial(wire.port))).toBe("");
    expect(await ended).toMatchObject({ code: "57014" });
  });
});

function readKey(client: Client): { processID: number; secretKey: number } {
  const processID = "processID" in client ? Number(client.processID) : Number.NaN;
  const secretKey = "secretKey" in client ? Number(client.secretKey) : Number.NaN;
  return { processID, secretKey };
}

async function askStates(database: Database): Promise<unknown> {
  const { rows } = await queryDatabase(
    database,
    "SELECT string_agg(state, ' ') FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'",
  );
  return rows[0]?.[0];
}

test("a client that leaves while its environment wakes is not waited for", async () => {
  const socket = dial(wire.port);
  socket.write(formatStartupPacket(PROTOCOL_3_0, [["user", SLOW]]));
  await waitFor(() => (wire.slow.opened === 1 ? true : undefined), { timeoutMs: 10_000 });
  expect(wire.slow).toEqual({ opened: 1, aborted: 0 });
  socket.end();
  await waitFor(() => (wire.slow.aborted === 1 ? true : undefined), { timeoutMs: 10_000 });
  expect(wire.slow.aborted).toBe(1);
  socket.destroy();
});

test("a client that is gone takes its session with it, reset or not", async () => {
  for (const leave of ["destroy", "resetAndDestroy", "end"] as const) {
    await wire.withPg(
      { url: `${wire.urlOf(ONE, wire.one.record.appPassword)}?application_name=leaver` },
      async (client) => {
        const stream = client.connection.stream;
        if (!("resetAndDestroy" in stream) || typeof stream.resetAndDestroy !== "function")
          throw new Error("It is a socket.");
        if (leave === "resetAndDestroy") stream.resetAndDestroy();
        else stream[leave]();
      },
    );
    const gone = await waitFor(
      async () => {
        const { rows } = await queryDatabase(
          wire.one,
          "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leaver'",
        );
        return rows[0]?.[0] === "0" ? true : undefined;
      },
      { timeoutMs: 10_000 },
    );
    expect(gone).toBe(true);
  }
});

test("a session that the server ends is ended for the client, with the reason", async () => {
  await wire.withPg({}, async (client) => {
    await expect(
      client.query("SELECT pg_terminate_backend(pg_backend_pid())"),
    ).rejects.toMatchObject({ code: "57P01" });
  });
});

test("a port in use is an error with its code", async () => {
  const taken = openWireGateway({
    host: "127.0.0.1",
    port: wire.port,
    keys: wire.keys,
    find: () => undefined,
  });
  await expect(taken).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("one that leaves lets nobody in, and its sessions go on until it is closed", async () => {
  const own = await openWireGateway({
    host: "127.0.0.1",
    port: 0,
    keys: wire.keys,
    find: async () => routeTo(wire.one),
  });
  const url = `postgres://any:${wire.one.record.appPassword}@127.0.0.1:${own.port}/my-shop`;
  const client = new Client({ connectionString: url });
  client.on("error", () => {
    // The gateway goes away.
  });
  await client.connect();
  const left = own.leave();
  await expect(once(dial(own.port), "connect")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(await askFirst(client, "SELECT 'still here'")).toBe("still here");
  const ended = new Promise((resolve) => client.once("end", resolve));
  await own.close();
  await Promise.all([ended, left]);
});

test("closing ends what is open, encrypted or not, and the port is free", async () => {
  const own = await openWireGateway({
    host: "127.0.0.1",
    port: 0,
    keys: wire.keys,
    find: () => routeTo(wire.one),
  });
  const url = `postgres://any:${wire.one.record.appPassword}@127.0.0.1:${own.port}/my-shop`;
  const ended: Promise<unknown>[] = [];
  for (const ssl of [false, { rejectUnauthorized: false }]) {
    const client = new Client({ connectionString: url, ssl });
    client.on("error", () => {
      // The gateway goes away.
    });
    await client.connect();
    ended.push(new Promise((resolve) => client.once("end", resolve)));
  }
  await own.close();
  await Promise.all(ended);
  await own.close();
  await expect(once(dial(own.port), "connect")).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
});

const PSQL =
  (
    await Promise.all(
      ["/usr/bin/psql", "/usr/local/bin/psql"].map(async (file) =>
        (await exists(file)) ? file : "",
      ),
    )
  ).find(Boolean) ?? "";

test.skipIf(PSQL === "").each([
  ["", 0, /^app\n$/],
  ["?sslmode=require", 0, /^app\n$/],
  ["?sslmode=disable", 0, /^app\n$/],
  ["?sslmode=require&channel_binding=require", 2, /channel binding is required/],
])("psql connects by URL with %j", async (rest, exitCode, output) => {
  const url = wire.urlOf(ONE, wire.one.record.appPassword, `/my-shop${rest}`);
  const result = await runProgram(
    {
      file: PSQL,
      args: ["-X", "-At", "-c", "SELECT current_user", url],
      folder: "/",
      environment: { PATH: "/usr/bin:/bin" },
      user: null,
    },
    { timeoutMs: 20_000 },
  );
  expect(result.exitCode).toBe(exitCode);
  expect(result.stdout + result.stderr).toMatch(output);
});
