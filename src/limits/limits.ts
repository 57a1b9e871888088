/** What an environment may take of the machine, and what sees to it: control groups, else a look every second. */
import { availableParallelism, totalmem } from "node:os";

import type { Problem } from "../base/problem.ts";
import type { RuntimeLimits } from "../environment/manifest.ts";
import * as grouping from "./control-groups.ts";
import * as judging from "./judge.ts";
import * as problems from "./problems.ts";

export type Limits = judging.Limits;
export type Use = judging.Use;
export type Excess = judging.Excess;
export type Machine = judging.Machine;
export type ControlGroups = grouping.ControlGroups;
/** Parts of the last ten seconds, from 0 to 1, in which somebody waited for it. */
export type Pressure = grouping.Pressure;

/** This one. */
export function describeMachine(): Machine {
  return { memoryBytes: totalmem(), processors: availableParallelism() };
}

/** What its manifest asks for, and for the rest what no usual app comes near. */
export function settleLimits(asked: RuntimeLimits, machine: Machine): Limits {
  return judging.settle(asked, machine);
}

/** The limit that was gone over first, if any. */
export function findExcess(limits: Limits, use: Use): Excess | undefined {
  return judging.judge(limits, use);
}

/** Whether others go before it on the processors, by what it takes of them just now and whether they do already. */
export function isToYield(limits: Limits, takenCpus: number, yieldsNow: boolean): boolean {
  return judging.isToYield(limits, takenCpus, yieldsNow);
}

/** Where the kernel lets us keep processes together and bound: found by trying. null: nowhere. */
export function openControlGroups(homeId: string): Promise<ControlGroups | null> {
  return grouping.openGroups(homeId);
}

/** One line for people and programs: what holds which limit. */
export function describeHolding(groups: ControlGroups | null): string {
  return judging.describe(groups);
}

/** Why an environment was ended. */
export function limitExceeded(title: string, excess: Excess): Problem {
  return problems.limitExceeded(title, excess);
}

export function diskShort(title: string, disk: problems.ShortDisk): Problem {
  return problems.diskShort(title, disk);
}
