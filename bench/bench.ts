/** `npm run bench [-- create|cli|gateway …]`: the numbers that are promised, each beside its floor in the same run. */
import { cpus, release } from "node:os";

import { measureCli } from "./cli.ts";
import { measureCreate, SIZES } from "./create.ts";
import { measureGateway } from "./gateway.ts";

type Section = {
  readonly title: string;
  readonly columns: string;
  readonly run: () => Promise<readonly string[]>;
};

/** `RAMET_BENCH_PLACE`: a folder on another file system, such as one with reflinks. */
const place = process.env["RAMET_BENCH_PLACE"];

const SECTIONS: Readonly<Record<string, Section>> = {
  create: {
    title: `Fork to the first 200 from its own URL, ms${place === undefined ? "" : ` (${place})`}`,
    columns:
      "| database | fork | of it database | of it processes | floor: copy + PostgreSQL + app | fork / floor | eight at once / one | delete answers |",
    run: async () => {
      const rows: string[] = [];
      for (const size of SIZES) rows.push(...(await measureCreate(size, place)));
      return rows;
    },
  },
  cli: {
    title: "Commands as whole processes, ms",
    columns: "| command | time | / node -e 0 |",
    run: measureCli,
  },
  gateway: { title: "Gateway", columns: "| path | requests/s | / direct |", run: measureGateway },
};

const chosen = process.argv.slice(2);
print(
  `Node ${process.version}, Linux ${release()}, ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}`,
);
print("Median (least–most) of several runs; trust the ratios, each from one run.");
for (const [name, { title, columns, run }] of Object.entries(SECTIONS)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  print(`\n## ${title}\n\n${columns}\n${columns.replaceAll(/[^|]+/g, " --- ")}`);
  for (const row of await run()) print(row);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
