/** An environment's keeper, a program of its own: `keeper-program SOCKET [own-network]`. */
import { runKeeper } from "./keeper.ts";

const [socket = "", network] = process.argv.slice(2);
process.exit(await runKeeper(socket, { hasOwnNetwork: network === "own-network" }));
