import { Problem } from "../src/base/problem.ts";

/** What came of it: the problem's code, or "no problem". Whatever else is thrown is thrown on. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return "no problem";
}
