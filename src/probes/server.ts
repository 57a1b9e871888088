import path from "node:path";

import { anyOf, type Probe } from "./probe.ts";
import { connects, createsFile, listsFolder, ofMachine, opensToRead } from "./reach.ts";

/** Of Ramet's own server, which can do everything to every environment. */
export const SERVER: readonly Probe[] = [
  {
    id: "server-token",
    tries: "read the token that the server is asked with",
    expected: "not there",
    attempt: ({ server }) => opensToRead(server.token),
  },
  {
    id: "server-keys",
    tries: "read the keys that secrets are sealed with",
    expected: "not there",
    attempt: ({ server }) => listsFolder(server.keys),
  },
  {
    id: "server-records",
    tries: "read the records of environments, and passwords",
    expected: "not there",
    attempt: ({ server }) => listsFolder(server.apps),
  },
  {
    id: "server-file",
    tries: "read where the server listens",
    expected: "not there",
    attempt: ({ server }) => opensToRead(server.file),
  },
  {
    id: "server-home",
    tries: "list the server's home",
    expected: "not there",
    attempt: ({ server }) =>
      anyOf([server.home, path.dirname(server.token)], (folder) => listsFolder(folder, "apps")),
  },
  {
    id: "server-environments",
    tries: "list the folders of all environments",
    expected: "only what leads to its own",
    attempt: ({ server, neighbour }) => listsFolder(server.data, neighbour.id),
  },
  {
    id: "server-socket",
    tries: "call the server",
    expected: "not there",
    attempt: ({ server }) => anyOf(server.sockets, (socket) => connects({ path: socket })),
  },
  {
    id: "server-process",
    tries: "read the server's own variables",
    expected: "no such process",
    attempt: (targets) =>
      ofMachine(opensToRead(`/proc/${targets.server.process}/environ`), targets),
  },
  {
    id: "server-signal",
    tries: "signal the server",
    expected: "no such process",
    attempt: (targets) => {
      process.kill(targets.server.process, 0);
      return ofMachine("may signal the server", targets);
    },
  },
  {
    id: "spare-copies",
    tries: "put a file among the packages that forks are to get",
    expected: "not there",
    attempt: ({ server }) =>
      anyOf(server.spares, (folder) => createsFile(path.join(folder, "ramet-probe"))),
  },
  {
    id: "server-dialer",
    tries: "have others dial for it, past its own rules",
    expected: "not there",
    attempt: ({ server }) => connects({ path: server.wayOut }),
  },
];
