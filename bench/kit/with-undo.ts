import { UndoStack } from "../../src/base/undo-stack.ts";

/** Does the work and takes back what it pushed, whatever becomes of it. @throws AggregateError when both fail */
export async function withUndo<T>(work: (undo: UndoStack) => Promise<T>): Promise<T> {
  const undo = new UndoStack();
  const outcome = await work(undo).catch(async (failure: unknown) => {
    await undo.undo().catch((second: unknown) => {
      throw new AggregateError([failure, second], "It failed, and so did clearing it away.");
    });
    throw failure;
  });
  await undo.undo();
  return outcome;
}
