import { answerWith } from "../base/thread-pool.ts";
import type { Answer } from "../base/thread-pool.ts";
import { renewTree } from "./renew-tree.ts";
import type { RenewJob, Renewed } from "./renew-tree.ts";
import { settleTree, surveyTree } from "./survey-tree.ts";
import type { SettleJob, Survey, SurveyJob } from "./survey-tree.ts";

export type TreeJob =
  | ({ readonly kind: "survey" } & SurveyJob)
  | ({ readonly kind: "settle" } & SettleJob)
  | ({ readonly kind: "renew" } & RenewJob);

/** Zeros where a job counts nothing. */
export type TreeDone = Survey & Renewed;

const NOTHING: TreeDone = { entries: 0, bytes: 0, isRenewed: false, changes: 0 };

/** Does a job in a thread of its own, for another. */
export async function answerTreeJob(job: TreeJob): Promise<Answer<TreeDone>> {
  return answerWith(() => {
    if (job.kind === "survey") return { ...NOTHING, ...surveyTree(job) };
    if (job.kind === "renew") return { ...NOTHING, ...renewTree(job) };
    settleTree(job);
    return NOTHING;
  });
}
