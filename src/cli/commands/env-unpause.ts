import type { Command } from "../command.ts";
import { envStart } from "./env-start.ts";

export const envUnpause: Command = {
  ...envStart,
  name: "env unpause",
  summary: "The same as `env start`",
};
