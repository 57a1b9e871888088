import type { Answers, Explanation } from "../environment/manifest.ts";
import {
  describeManifest,
  explainManifest,
  findQuestion,
  writeManifest,
} from "../manifest/manifest.ts";
import { formatSummary } from "./manifest-text.ts";
import { declined } from "./problems.ts";
import { askChoice, askYes, canAsk } from "./questions.ts";
import type { Session } from "./session.ts";
import { styleFor } from "./style.ts";

/** There are two questions, each asked once. */
const MAX_QUESTIONS = 2;

/** What was found, with what the person was asked for it; undefined: there is nothing to be found. */
export type Found = { readonly explanation: Explanation; readonly answers: Answers };

/** @throws `detection_ambiguous` where nobody can be asked, `declined` */
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
      if (answer === null) throw declined();
      answers = { ...answers, [question.id]: answer };
    }
  }
}

export type Offer = { readonly folder: string; readonly app: string; readonly isYes: boolean };

/** Shows what was found where no ramet.json says it, and writes that on a yes. @throws `declined` */
export async function offerToWrite(session: Session, found: Found, offer: Offer): Promise<void> {
  const { manifest } = found.explanation;
  const { stderr, environment } = session.context;
  const style = styleFor(stderr, environment, 0);
  const isWritten = manifest.source.startsWith("ramet.json");
  if (isWritten && manifest.unused.length === 0) return;
  if (!isWritten) session.note(`Found in ${manifest.source}:`);
  session.note(formatSummary(found.explanation, style));
  if (isWritten || !(await isWanted(session, found, offer))) return;
  const text = describeManifest(found.explanation, offer.app);
  if (await writeManifest(offer.folder, text))
    session.note(`${style.paint("green", "✓")} ramet.json written`);
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
