/** Self-contained: a page of ours loads nothing, so it also stands when the machine is offline. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f6f7f4; --card: #ffffff; --ink: #1c2420; --soft: #5d6a63; --line: #e2e6e0;
  --accent: #2f7d4f; --accent-soft: #dcefe3; --alarm: #a9432f; --alarm-soft: #f8e4de; --code: #eef1ec; --warn: #8a6100;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111614; --card: #1a211d; --ink: #e8eee9; --soft: #9aa8a0; --line: #2b352f;
    --accent: #6fcf97; --accent-soft: #1f3a2b; --alarm: #f0957f; --alarm-soft: #41241d; --code: #242d28; --warn: #e3bd62;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; min-height: 100dvh; padding: 24px;
  display: flex; flex-direction: column; align-items: center; justify-content: center;
  background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main {
  width: 100%; max-width: 560px; padding: 36px 40px 34px; background: var(--card);
  border: 1px solid var(--line); border-radius: 16px;
  box-shadow: 0 1px 2px rgb(0 0 0 / 5%), 0 12px 40px rgb(0 0 0 / 7%);
}
.badge {
  display: inline-flex; align-items: center; gap: 9px; padding: 4px 12px 4px 10px; border-radius: 99px;
  background: var(--accent-soft); color: var(--accent); font-size: 13px; font-weight: 600;
}
.badge::before { content: ""; width: 8px; height: 8px; border-radius: 50%; background: currentColor; }
.waiting .badge::before { animation: pulse 1.4s ease-in-out infinite; }
.alarm .badge { background: var(--alarm-soft); color: var(--alarm); }
h1 { margin: 18px 0 6px; font-size: 25px; line-height: 1.25; letter-spacing: -.015em; overflow-wrap: anywhere; }
p { margin: 0 0 4px; color: var(--soft); overflow-wrap: anywhere; }
.message { margin-top: 10px; color: var(--ink); }
pre {
  margin: 12px 0 0; padding: 12px 14px; max-height: 380px; overflow: auto; border-radius: 8px;
  display: flex; flex-direction: column-reverse; /* what was printed last is in sight */
  background: var(--code); font: 13px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
pre .error, pre .fatal { color: var(--alarm); }
pre .warn { color: var(--warn); }
pre .ours, pre .debug, pre .trace { color: var(--soft); }
main:has(pre) { max-width: 760px; }
.code { margin-top: 14px; font: 12px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.remedy { margin-top: 20px; padding-top: 18px; border-top: 1px solid var(--line); color: var(--ink); }
.remedy b { display: block; color: var(--soft); font-size: 13px; font-weight: 600; }
code {
  display: inline-block; max-width: 100%; padding: 1px 6px; border-radius: 6px; background: var(--code);
  font: .88em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
.bar { height: 4px; margin: 26px 0 16px; border-radius: 4px; overflow: hidden; background: var(--accent-soft); }
.bar i { display: block; width: 36%; height: 100%; border-radius: 4px; background: var(--accent); animation: slide 1.5s ease-in-out infinite; }
.small { font-size: 14px; }
footer { margin-top: 20px; color: var(--soft); font-size: 13px; }
@keyframes slide { from { transform: translateX(-100%); } to { transform: translateX(280%); } }
@keyframes pulse { 50% { opacity: .25; } }
@media (prefers-reduced-motion: reduce) { .bar i, .waiting .badge::before { animation-duration: 6s; } }
@media (max-width: 520px) { body { padding: 14px; } main { padding: 26px 22px 24px; } h1 { font-size: 21px; } }
`;
