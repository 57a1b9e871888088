import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Caretaker } from "./caretaker.ts";

/** An environment as the caretaker sees it. */
class Looked {
  looks = 0;
  readonly notes: string[] = [];
  up = true;
  onLook: () => Promise<void> = async () => undefined;

  isUp(): boolean {
    return this.up;
  }

  async look(): Promise<void> {
    this.looks += 1;
    await this.onLook();
  }

  note(text: string): void {
    this.notes.push(text);
  }
}

let caretaker: Caretaker;
let all: Looked[];
let glances: number;

beforeEach(() => {
  vi.useFakeTimers();
  all = [];
  glances = 0;
  caretaker = new Caretaker(() => all, {
    uses: { look: async () => undefined, glance: () => void (glances += 1) },
  });
  caretaker.begin();
});
afterEach(() => {
  caretaker.end();
  vi.useRealTimers();
});

function add(): Looked {
  const one = new Looked();
  all.push(one);
  return one;
}

test("each that is up is looked at once a second, also one that was made meanwhile", async () => {
  const first = add();
  await vi.advanceTimersByTimeAsync(3000);
  const second = add();
  await vi.advanceTimersByTimeAsync(2000);
  expect([first.looks, second.looks]).toEqual([5, 2]);
});

test("what they take is glanced at several times between two looks", async () => {
  const one = add();
  await vi.advanceTimersByTimeAsync(2000);
  expect(one.looks).toBe(2);
  expect(glances).toBeGreaterThanOrEqual(5 * one.looks);
  caretaker.end();
  const ended = glances;
  await vi.advanceTimersByTimeAsync(2000);
  expect(glances).toBe(ended);
});

test("what sleeps is not looked at, and is again once it is awake", async () => {
  const one = add();
  one.up = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(one.looks).toBe(0);
  one.up = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(one.looks).toBe(1);
});

test("a look that takes long is not begun again meanwhile, and keeps no other waiting", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const [slow, other] = [add(), add()];
  slow.onLook = async () => held;
  await vi.advanceTimersByTimeAsync(5000);
  expect([slow.looks, other.looks]).toEqual([1, 5]);
  release();
  await vi.advanceTimersByTimeAsync(1000);
  expect([slow.looks, other.looks]).toEqual([2, 6]);
});

test("a look that fails is noted, and the next one comes", async () => {
  const one = add();
  one.onLook = async () => Promise.reject(new Error("no"));
  await vi.advanceTimersByTimeAsync(2000);
  expect([one.looks, one.notes]).toEqual([2, ["no", "no"]]);
});

test("after its end nothing is looked at", async () => {
  const one = add();
  caretaker.end();
  await vi.advanceTimersByTimeAsync(5000);
  expect(one.looks).toBe(0);
});
