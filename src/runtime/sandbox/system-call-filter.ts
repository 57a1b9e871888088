/** What a system's calls are numbered with, and how it is known that they are its own. */
type Machine = {
  readonly audit: number;
  /** Reach what is of the whole machine, or of the user outside: the keyrings, the kernel's log, its probes. */
  readonly refused: readonly number[];
  readonly ioctl: number;
  readonly socket: number;
  /** From here on the numbers mean the same calls again: x32. */
  readonly foreign: number | null;
};

// keyctl, add_key, request_key, syslog, perf_event_open, bpf, userfaultfd; from the kernel's unistd.h and audit.h.
const MACHINES: Readonly<Record<string, Machine>> = {
  x64: {
    audit: 0xc000003e,
    refused: [250, 248, 249, 103, 298, 321, 323],
    ioctl: 16,
    socket: 41,
    foreign: 0x4000_0000,
  },
  arm64: {
    audit: 0xc00000b7,
    refused: [219, 217, 218, 116, 241, 280, 282],
    ioctl: 29,
    socket: 198,
    foreign: null,
  },
};

/** They type into the terminal that the program was started from. */
const TYPING_IOCTLS = [0x5412, 0x541c];
/** Leads to the host of a virtual machine, from any network namespace. */
const AF_VSOCK = 40;

/** Offsets in `struct seccomp_data`. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const FIRST_ARGUMENT = 16;
const SECOND_ARGUMENT = 24;

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const RETURN = 0x06;
const ALLOW = 0x7fff_0000;
/** With EPERM. */
const REFUSE = 0x0005_0001;

type Instruction = { code: number; yes?: number; no?: number; operand: number };

const ALLOW_ALL: Instruction = { code: RETURN, operand: ALLOW };

/** A program for the kernel, as bubblewrap takes it; one that refuses nothing where we do not know the machine's numbers. */
export function planSystemCallFilter(architecture: string): Uint8Array {
  const machine = MACHINES[architecture];
  return encode(machine === undefined ? [ALLOW_ALL] : planInstructions(machine));
}

export function isFilterKnown(architecture: string): boolean {
  return MACHINES[architecture] !== undefined;
}

function planInstructions(machine: Machine): readonly Instruction[] {
  const { audit, refused, ioctl, socket, foreign } = machine;
  return [
    { code: LOAD, operand: ARCHITECTURE },
    { code: JUMP_EQUAL, operand: audit, yes: 1 },
    { code: RETURN, operand: REFUSE },
    { code: LOAD, operand: NUMBER },
    ...(foreign === null ? [] : refuseIf(JUMP_AT_LEAST, foreign)),
    ...refused.flatMap((number) => refuseIf(JUMP_EQUAL, number)),
    ...refuseArgument(ioctl, SECOND_ARGUMENT, TYPING_IOCTLS),
    ...refuseArgument(socket, FIRST_ARGUMENT, [AF_VSOCK]),
    ALLOW_ALL,
  ];
}

function refuseIf(code: number, operand: number): readonly Instruction[] {
  return [
    { code, operand, no: 1 },
    { code: RETURN, operand: REFUSE },
  ];
}

/** Of this call alone; it is then allowed with any other. */
function refuseArgument(
  call: number,
  argument: number,
  values: readonly number[],
): readonly Instruction[] {
  const checks = values.flatMap((value) => refuseIf(JUMP_EQUAL, value));
  return [
    { code: JUMP_EQUAL, operand: call, no: checks.length + 2 },
    { code: LOAD, operand: argument },
    ...checks,
    ALLOW_ALL,
  ];
}

/** `struct sock_filter`, in the byte order of both machines. */
function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [index, { code, yes = 0, no = 0, operand }] of instructions.entries()) {
    const at = index * 8;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(yes, at + 2);
    bytes.writeUInt8(no, at + 3);
    bytes.writeUInt32LE(operand, at + 4);
  }
  return bytes;
}
