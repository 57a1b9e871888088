import { z } from "zod";

import { logLineSchema, problemSchema, progressSchema } from "./schemas.ts";

/**
 * What the server answers to `POST /calls/<name>`, one JSON object a line: any number of events, then one end.
 * A connection that closes without an end was lost.
 */
export const messageSchema = z.union([
  z.object({ progress: progressSchema }),
  z.object({ line: logLineSchema }),
  z.object({ result: z.unknown() }),
  z.object({ problem: problemSchema }),
  /** A bug of ours on the server's side. */
  z.object({ bug: z.string() }),
]);
export type Message = z.infer<typeof messageSchema>;
