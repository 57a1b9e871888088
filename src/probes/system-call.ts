import { spawnSync } from "node:child_process";
import { constants } from "node:os";

import { NotApplicable, Refused } from "./probe.ts";

/** By the kernel's own tables. */
const NUMBERS = {
  add_key: { x64: 248, arm64: 217 },
  bpf: { x64: 321, arm64: 280 },
  init_module: { x64: 175, arm64: 105 },
  kexec_load: { x64: 246, arm64: 104 },
  keyctl: { x64: 250, arm64: 219 },
  mknodat: { x64: 259, arm64: 33 },
  mount: { x64: 165, arm64: 40 },
  open_by_handle_at: { x64: 304, arm64: 265 },
  perf_event_open: { x64: 298, arm64: 241 },
  pidfd_open: { x64: 434, arm64: 434 },
  process_vm_readv: { x64: 310, arm64: 270 },
  ptrace: { x64: 101, arm64: 117 },
  sethostname: { x64: 170, arm64: 161 },
  setns: { x64: 308, arm64: 268 },
  shmat: { x64: 30, arm64: 196 },
  socket: { x64: 41, arm64: 198 },
  syslog: { x64: 103, arm64: 116 },
  umount2: { x64: 166, arm64: 39 },
} as const;

type CallName = keyof typeof NUMBERS;

/** Not permitted, or there is no such thing for the caller. Any other answer comes from beyond a refusal. */
const REFUSALS = new Set([
  "EPERM",
  "EACCES",
  "ENOSYS",
  "ESRCH",
  "ENOENT",
  "EAFNOSUPPORT",
  "ENOKEY",
]);
const ENOKEY = 126;
/** Perl takes no text as an argument that it could not change: it is copied. */
const CALL = "sub call { my ($n, @a) = @_; syscall($n, @a) }";
const LIMIT_MS = 5_000;

/**
 * Makes a call that Node does not offer; `args` are expressions of Perl, which nearly every Linux has. `before` prepares
 * them, `after` takes back what it did; `call` in those makes others.
 * @returns what it came to
 */
export function callSystem(
  name: CallName,
  args: string,
  { before = "", after = "" }: { readonly before?: string; readonly after?: string } = {},
): string {
  const { [process.arch]: number }: Readonly<Record<string, number>> = NUMBERS[name];
  if (number === undefined) throw new NotApplicable(`its number is not known on ${process.arch}`);
  const program = `${CALL}; ${before}; my $r = call(${number}, ${args}); my $e = $!+0; if ($r >= 0) { ${after}; } print $r < 0 ? "error $e" : "value $r"`;
  const { error, stdout, stderr } = spawnSync("perl", ["-e", program], {
    encoding: "utf8",
    timeout: LIMIT_MS,
  });
  if (error !== undefined) throw new NotApplicable("Perl, which makes the call, is not here");
  const [, kind, value] = /^(error|value) (\d+)$/.exec(stdout) ?? [];
  if (kind === undefined) throw new Error(`Perl said: ${stdout}${stderr}`);
  if (kind === "value") return `${name} succeeded`;
  const code = nameOf(Number(value));
  if (REFUSALS.has(code)) throw new Refused(code);
  return `${name} went on to ${code}`;
}

/** @returns the number of a system call on this machine */
export function numberOf(name: CallName): number | undefined {
  const { [process.arch]: number }: Readonly<Record<string, number>> = NUMBERS[name];
  return number;
}

function nameOf(value: number): string {
  if (value === ENOKEY) return "ENOKEY";
  const found = Object.entries(constants.errno).find(([, one]) => one === value);
  return found?.[0] ?? `error ${value}`;
}
