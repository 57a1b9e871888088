import { stripVTControlCharacters } from "node:util";

import type { ProblemFields } from "../base/problem.ts";
import type { LogLine } from "../environment/environment.ts";
import { PAGE_STYLE } from "./page-style.ts";

/** A page of ours asks with this header whether it is time to reload; such a request never reaches the app. */
export const WAITING_HEADER = "x-ramet-waiting";

/** The answer to it: the page reloads when this is no longer what it was made for. */
export const STATE_HEADER = "x-ramet-state";

/** What a page was made for. */
export type PageState = "waiting" | "unavailable" | "ready";

const POLL_MS = 400;
const SLOW_POLL_MS = 2000;

export function renderWaitingPage(options: {
  readonly label: string;
  readonly state: "starting" | "asleep";
  readonly nonce: string;
}): string {
  const asleep = options.state === "asleep";
  return renderPage({
    title: `${options.label} is ${asleep ? "waking" : "starting"}`,
    look: "waiting",
    head: `<noscript><meta http-equiv="refresh" content="1"></noscript>`,
    body: `<span class="badge">${asleep ? "Waking up" : "Starting"}</span>
<h1>${escapeHtml(options.label)}</h1>
<p>${asleep ? "This environment was asleep. Its database and its processes are starting." : "This environment's processes are starting."}</p>
<div class="bar" role="progressbar" aria-label="Starting"><i></i></div>
<p class="small">The page opens by itself as soon as the app answers. To see what it does: ${renderInline("`ramet logs`")}</p>`,
    script: renderScript({ state: "waiting", everyMs: POLL_MS, nonce: options.nonce }),
  });
}

export function renderProblemPage(options: {
  readonly title: string;
  readonly badge: string;
  readonly problem: ProblemFields;
  /** What the process printed last; where there is none, the lines of the problem's message stand for it. */
  readonly log?: readonly LogLine[];
  /** Reloads when the environment is no longer unavailable; null: the page stays. */
  readonly nonce: string | null;
}): string {
  const { title, badge, problem, log = [], nonce } = options;
  return renderPage({
    title,
    look: "alarm",
    head: "",
    body: `<span class="badge">${escapeHtml(badge)}</span>
<h1>${escapeHtml(title)}</h1>
${renderMessage(problem.message, log)}
<p class="remedy"><b>What to do</b>${renderInline(problem.remedy)}</p>
<p class="code">${escapeHtml(problem.code)}</p>`,
    script:
      nonce === null ? "" : renderScript({ state: "unavailable", everyMs: SLOW_POLL_MS, nonce }),
  });
}

/** Fit for an element's text and for a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A problem's first line is its sentence; what follows are lines that a program printed. */
function renderMessage(message: string, log: readonly LogLine[]): string {
  const [sentence = "", ...lines] = message.split("\n");
  const printed = log.length > 0 ? log.map(renderLine) : lines.map(escapeHtml);
  const shown = printed.length === 0 ? "" : `<pre><span>${printed.join("\n")}</span></pre>`;
  return `<p class="message">${renderInline(sentence)}</p>${shown}`;
}

function renderLine({ stream, level, message, fields, text }: LogLine): string {
  const rest = Object.keys(fields).length === 0 ? "" : ` ${JSON.stringify(fields)}`;
  const words = message === "" ? text : `${message}${rest}`;
  const look = stream === "ramet" ? "ours" : level;
  return `<span class="${look}">${escapeHtml(stripVTControlCharacters(words))}</span>`;
}

/** Escaped text in which a pair of backquotes makes code. */
function renderInline(text: string): string {
  return escapeHtml(text).replace(/&#96;(.+?)&#96;/gs, "<code>$1</code>");
}

function renderPage(page: {
  readonly title: string;
  readonly look: "waiting" | "alarm";
  readonly head: string;
  readonly body: string;
  readonly script: string;
}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(page.title)}</title>
<link rel="icon" href="data:,">
${page.head}
<style>${PAGE_STYLE}</style>
</head>
<body class="${page.look}">
<main>
${page.body}
</main>
<footer>Ramet gateway</footer>
${page.script}
</body>
</html>
`;
}

function renderScript(script: {
  readonly state: PageState;
  readonly everyMs: number;
  readonly nonce: string;
}): string {
  return `<script nonce="${escapeHtml(script.nonce)}">
setInterval(async () => {
  try {
    const answer = await fetch(location.href, {
      headers: { "${WAITING_HEADER}": "1" }, cache: "no-store", redirect: "manual",
    });
    if (answer.headers.get("${STATE_HEADER}") !== "${script.state}") location.reload();
  } catch {
    // The gateway restarts: ask again.
  }
}, ${script.everyMs});
</script>`;
}
