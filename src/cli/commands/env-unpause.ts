import type { Command } from "../session/command.ts";
import { envStart } from "./env-start.ts";

export const envUnpause: Command = {
  ...envStart,
  name: "env unpause",
  summary: "The same as `env start`",
  examples: [
    { line: "ramet env unpause", why: "Wake this workspace's environment" },
    { line: "ramet env unpause staging --app shop", why: "Another, from any folder" },
  ],
};
