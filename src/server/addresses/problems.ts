import { Problem, quote } from "../../base/problem.ts";

export function noFreePort(first: number): Problem {
  return new Problem({
    code: "port_none_free",
    message: `No port from ${first} on is free.`,
    remedy: "End what holds them, or free one of them.",
  });
}

export function frontPortMissing(name: string): Problem {
  return new Problem({
    code: "front_port_missing",
    message: `No process of ${name} names a port that it is to be found at.`,
    remedy:
      'Say one with `ramet env front --port 3000`, or write "port": 3000 of the process in ramet.json.',
  });
}

export function frontPortTaken(port: number): Problem {
  return new Problem({
    code: "front_port_taken",
    message: `The port ${port} of this machine, which is to lead to it, is taken by another program.`,
    remedy: `End that program (\`lsof -i :${port}\` names it), or choose another port with \`ramet env front --port PORT\`.`,
  });
}

export function frontPortRefused(port: number): Problem {
  return new Problem({
    code: "front_port_refused",
    message: `The system lets the server not listen on port ${port}: those below 1024 are for root.`,
    remedy: "Choose another port with `ramet env front --port PORT`.",
  });
}

export function domainInvalid(name: string): Problem {
  return new Problem({
    code: "domain_invalid",
    message: `${quote(name)} is no domain that environments can be below.`,
    remedy: "Name one that is yours, such as dev.example.com.",
  });
}

export function certificateUnreadable(file: string, why: string): Problem {
  return new Problem({
    code: "certificate_unreadable",
    message: `${file} cannot be read: ${why.slice(0, 200)}`,
    remedy: "Name files of PEM that the server's user may read.",
  });
}

export function certificateUnfit(file: string, why: string): Problem {
  return new Problem({
    code: "certificate_unfit",
    message: `The certificate in ${file} does not do: ${why}.`,
    remedy: "Give one for all names below the domain (*.NAME), and its own key.",
  });
}
