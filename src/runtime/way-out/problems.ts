import { Problem } from "../../base/problem.ts";

export function wayOutMissing(log: string): Problem {
  return new Problem({
    code: "way_out_missing",
    message: "The program that dials for processes in a network of their own did not start.",
    remedy: `Look into ${log}.`,
  });
}
