import { formatBytes } from "../../base/bytes.ts";
import { assertPossible, findStorage, growStorage } from "../../storage/storage.ts";
import type { Storage } from "../../storage/storage.ts";
import { value } from "../grammar/command-shape.ts";
import { parseBytes } from "../grammar/numbers.ts";
import { argumentInvalid, flagValueMissing } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { moveIntoStorage, moveOutOfStorage } from "../session/storage-work.ts";
import type { Style } from "../terminal/style.ts";
import { formatFields } from "../text/table.ts";

export const serverStorage = defineCommand({
  name: "server storage",
  summary: "Keep environments on a file system that forks them in constant time (root, Linux)",
  description:
    "Where the disk cannot share blocks (ext4), a fork copies every byte. `create` makes an XFS file system in an image of " +
    "its own, moves the environments into it, and has the server mount it at each start; `remove` moves them back. " +
    "Environments sleep meanwhile and are woken again. Stopped at any instant, nothing is lost.",
  positionals: [
    { name: "create|show|grow|remove", kind: "optional", summary: "What to do (show)" },
  ],
  options: {
    size: value("SIZE", "Of the image, such as 50G: all of it is taken from the disk at once"),
  },
  isOfMachine: true,
  examples: [
    {
      line: "sudo ramet server storage create",
      why: "Make it, and move there what is here",
    },
    { line: "ramet server storage show", why: "Whether there is one, and how full it is" },
    { line: "ramet server storage grow --size 99G", why: "While everything runs" },
    { line: "sudo ramet server storage remove", why: "Move everything back" },
  ],
  async run(input, session): Promise<{ readonly storage: Storage | null }> {
    const action = input.optional("create|show|grow|remove") ?? "show";
    const given = input.value("size");
    const size = given === null ? null : parseBytes("--size", given);
    const { folder } = session.context.home;
    if (action === "create") await moveIntoStorage(session, size);
    else if (action === "grow") {
      if (size === null) throw flagValueMissing("--size", "SIZE");
      await assertPossible(folder, "grow");
      await growStorage(folder, size);
    } else if (action === "remove") await moveOutOfStorage(session);
    else if (action !== "show")
      throw argumentInvalid("ACTION", action, "create, show, grow or remove");
    return { storage: await findStorage(folder) };
  },
  toText: ({ storage }, style) => formatStorage(storage, style),
  toJson: ({ storage }) => storage,
});

function formatStorage(storage: Storage | null, style: Style): string {
  if (storage === null) return `${style.paint("dim", "○")} No storage of its own`;
  const { mounted, image, folder, bytes, usedBytes, freeBytes } = storage;
  const symbol = mounted ? style.paint("green", "●") : style.paint("red", "✗");
  const title = mounted ? "Environments are forked in constant time" : "The storage is not mounted";
  const space =
    usedBytes === null || freeBytes === null
      ? []
      : [["used", `${formatBytes(usedBytes)}, ${formatBytes(freeBytes)} free`] as const];
  const fields = [
    ["image", `${image}, ${formatBytes(bytes)}`] as const,
    ["mounted on", mounted ? folder : "–"] as const,
    ...space,
  ];
  return [`${symbol} ${title}`, formatFields(fields, style)].join("\n");
}
