import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";
import type { Answers, Explanation } from "../../environment/manifest.ts";
import {
  describeManifest,
  explainManifest,
  findQuestion,
  writeManifest,
} from "../../manifest/manifest.ts";
import { answerUnknown, declined, fileUnwritable } from "../terminal/problems.ts";
import { askChoice, askYes, canAsk } from "../terminal/questions.ts";
import { styleFor } from "../terminal/style.ts";
import { formatSummary } from "../text/manifest-text.ts";
import type { Session } from "./session.ts";

/** There are two questions, each asked once. */
const MAX_QUESTIONS = 2;

/** What was found, with what the person was asked for it; undefined: there is nothing to be found. */
export type Found = { readonly explanation: Explanation; readonly answers: Answers };

/** @throws `detection_ambiguous` where nobody can be asked, `answer_unknown` */
export async function findWithAnswers(
  session: Session,
  folder: string,
): Promise<Found | undefined> {
  let answers: Answers = {};
  for (let asked = 0; ; asked += 1) {
    try {
      const explanation = await explainManifest(folder, answers);
      return explanation === undefined ? undefined : { explanation, answers };
    } catch (error) {
      const question = findQuestion(error);
      const isAskable = canAsk(session.context, session.isJson) && asked < MAX_QUESTIONS;
      if (question === undefined || !isAskable) throw error;
      const answer = await askChoice(session.context, question.text, question.choices);
      if (answer === null) throw answerUnknown(question.choices);
      answers = { ...answers, [question.id]: answer };
    }
  }
}

export type Offer = { readonly folder: string; readonly app: string; readonly isYes: boolean };

/**
 * Shows what was found where no ramet.json says it, and writes that on a yes: whether it wrote it.
 * @throws `declined`, `file_unwritable`
 */
export async function offerToWrite(session: Session, found: Found, offer: Offer): Promise<boolean> {
  const { manifest } = found.explanation;
  const { stderr, environment } = session.context;
  const style = styleFor(stderr, environment, 0);
  const isWritten = manifest.source.startsWith("ramet.json");
  if (isWritten && manifest.unused.length === 0) return false;
  if (!isWritten) session.note(`Found in ${manifest.source}:`);
  session.note(formatSummary(found.explanation, style));
  if (isWritten || !(await isWanted(session, found, offer))) return false;
  const hasWritten = await write(offer.folder, describeManifest(found.explanation, offer.app));
  if (hasWritten) session.note(`${style.paint("green", "✓")} ramet.json written`);
  return hasWritten;
}

async function write(folder: string, text: string): Promise<boolean> {
  try {
    return await writeManifest(folder, text);
  } catch (error) {
    if (!hasErrorCode(error, "EACCES", "EPERM", "EROFS")) throw error;
    throw fileUnwritable(path.join(folder, "ramet.json"));
  }
}

async function isWanted(
  { context, isJson }: Session,
  { answers }: Found,
  { isYes }: Offer,
): Promise<boolean> {
  if (isYes) return true;
  if (!canAsk(context, isJson)) return false;
  if (await askYes(context, "Write this to ramet.json?")) return true;
  // Without the file nobody would know what was answered.
  if (Object.keys(answers).length > 0) throw declined();
  return false;
}
