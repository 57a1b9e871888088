import { Layout, makeHome } from "./layout.ts";
import type { EngineHome } from "./layout.ts";
import { makeReachable } from "./reach.ts";

export type HomeOptions = {
  readonly home: Pick<EngineHome, "folder" | "sockets" | "id">;
  /** Called before anything in `data` is looked at, with the folder that holds it. What it throws keeps all untouched. */
  readonly openData?: (shared: string) => Promise<void>;
};

/** Finds where everything of a home lies, and makes the folders that are missing. */
export async function openHome({ home, openData }: HomeOptions): Promise<Layout> {
  const layout = new Layout({ ...home, ...(await makeReachable(home)) });
  await openData?.(layout.home.shared);
  await makeHome(layout);
  return layout;
}
