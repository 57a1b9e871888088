import fc from "fast-check";
import { expect, test } from "vitest";

import { escapeHtml, renderProblemPage, renderWaitingPage } from "./pages.ts";

const ATTACK = `"'><script>alert(1)</script><img src=x onerror=alert(1)>`;

test("escaped text holds nothing that HTML reads", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(escapeHtml(text)).not.toMatch(/[<>"'`]|&(?!#\d+;)/);
    }),
  );
});

test("what is escaped reads the same again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(decode(escapeHtml(text))).toBe(text);
    }),
  );
});

test("a hostile label, problem or nonce stays text on every page", () => {
  const problem = {
    code: ATTACK,
    message: `${ATTACK}\n${ATTACK}`,
    remedy: `\`${ATTACK}\` ${ATTACK}`,
  };
  const pages = [
    renderWaitingPage({ label: ATTACK, state: "asleep", nonce: ATTACK }),
    renderProblemPage({ title: ATTACK, badge: ATTACK, problem, nonce: ATTACK }),
  ];
  for (const page of pages) {
    expect(page).not.toContain("<script>");
    expect(page).not.toContain("<img");
    expect(page.match(/<script/g)).toHaveLength(1);
  }
});

test("a command in backquotes is shown as code, a lone backquote as itself", () => {
  const problem = { code: "x", message: "Odd ` one.", remedy: "Run `ramet logs`." };
  const page = renderProblemPage({ title: "T", badge: "B", problem, nonce: null });
  expect(page).toContain("Run <code>ramet logs</code>.");
  expect(page).toContain("Odd &#96; one.");
});

test("the lines that a failed command printed stand apart from the sentence, as they are", () => {
  const problem = { code: "x", message: "It failed.\n  at `a` <b>\n  at c", remedy: "r" };
  const page = renderProblemPage({ title: "T", badge: "B", problem, nonce: null });
  expect(page).toContain(
    "It failed.</p><pre><span>  at &#96;a&#96; &#60;b&#62;\n  at c</span></pre>",
  );
});

test("the waiting page says the label and the state, and reloads without scripts too", () => {
  const asleep = renderWaitingPage({ label: "shop--x", state: "asleep", nonce: "n" });
  expect(asleep).toContain("<h1>shop--x</h1>");
  expect(asleep).toContain("Waking up");
  expect(asleep).toContain(`<noscript><meta http-equiv="refresh" content="1"></noscript>`);
  expect(renderWaitingPage({ label: "shop--x", state: "starting", nonce: "n" })).toContain(
    ">Starting<",
  );
});

test("a problem page without a nonce has no script", () => {
  const problem = { code: "x", message: "m", remedy: "r" };
  expect(renderProblemPage({ title: "T", badge: "B", problem, nonce: null })).not.toContain(
    "<script",
  );
});

function decode(html: string): string {
  return html.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
