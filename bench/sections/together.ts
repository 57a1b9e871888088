import { formatFigures, formatRatio, ratioOf, Series, time } from "../kit/figures.ts";
import { measureFloor } from "../kit/floor.ts";
import { addressOf, untilOk } from "../kit/http.ts";
import type { Report } from "../kit/report.ts";
import type { Scene } from "../kit/scene.ts";
import { Steps } from "../kit/steps.ts";

const AT_ONCE = 8;
const HEADER = [
  "file system",
  "app",
  "database",
  "one",
  `${AT_ONCE} at once`,
  "eight / one",
  "one floor",
  `${AT_ONCE} floors at once`,
  "eight / one",
];

/**
 * Forks begun at one moment until the last one's first 200, in turn with a single one, and the same of floors: how much
 * of it the machine itself can do at once.
 */
export async function measureTogether(scene: Scene): Promise<Report> {
  const series = new Series();
  const steps = new Steps();
  for (let round = 0; round < scene.bench.rounds; round += 1) {
    series.add("one", await measureForks(scene, 1, new Steps()));
    series.add("many", await measureForks(scene, AT_ONCE, steps));
    series.add("floor", await measureFloors(scene, 1));
    series.add("floors", await measureFloors(scene, AT_ONCE));
  }
  const [one, many] = [series.of("one"), series.of("many")];
  const ratio = ratioOf(many, one);
  const [floor, floors] = [series.of("floor"), series.of("floors")];
  const row = [
    ...scene.label,
    formatFigures(one),
    formatFigures(many),
    formatRatio(ratio),
    formatFigures(floor),
    formatFigures(floors),
    formatRatio(ratioOf(floors, floor)),
  ];
  const label = `one of ${AT_ONCE} at once, ${scene.label.join(", ")}`;
  const what = `eight at once beside one (${scene.label.join(", ")})`;
  const goal = { what, measured: ratio, limit: 4, unit: "×", sense: "at most" } as const;
  return { rows: [HEADER, row], goals: [goal], remarks: [steps.format(label)] };
}

/** Until the last of them answers; what each is cleared away by comes after. */
async function measureFloors(scene: Scene, count: number): Promise<number> {
  await scene.stage.run("sync");
  const numbers = Array.from({ length: count }, (_, number) => number);
  const floors = await Promise.all(numbers.map(async (number) => measureFloor(scene, number)));
  return Math.max(...floors.map(({ ms }) => ms));
}

async function measureForks({ stage, bench }: Scene, count: number, steps: Steps): Promise<number> {
  const names = Array.from({ length: count }, (_, index) => `fork-${index}`);
  await stage.run("sync");
  const { ms } = await time(async () =>
    Promise.all(
      names.map(async (name) => {
        const made = await stage.create(name);
        await untilOk(addressOf(made.url), bench.signal);
        steps.add(made);
      }),
    ),
  );
  for (const name of names) await stage.delete(name);
  return ms;
}
