import type { Socket } from "node:net";

/** The bytes of each are the other's. An end is passed on as an end, what breaks breaks both. */
export function joinWays(near: Socket, far: Socket): void {
  join(near, far);
  join(far, near);
}

function join(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on("error", () => to.destroy());
  from.once("close", () => {
    if (from.readableEnded) to.end();
    else to.destroy();
  });
}
