import { isIPv6 } from "node:net";

const MAX_HOSTNAME = 253;
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const PORT = /^[0-9]{1,5}$/;
const MAX_PORT = 65_535;

/**
 * The lower-cased host name of a Host header, without its port; an IPv6 address keeps its brackets.
 * One spelling each: user names, trailing dots, empty ports, percent signs and other scripts are refused.
 * Not `new URL`, which throws on some and reads others as an address they do not spell.
 */
export function parseHostname(host: string): string | undefined {
  const end = host.startsWith("[") ? host.indexOf("]") + 1 : findPortMark(host);
  if (!isPortPart(host.slice(end))) return undefined;
  const name = host.slice(0, end);
  const isHostname = name.startsWith("[") ? isBracketedAddress(name) : isDomainName(name);
  // Only now, when it is ASCII: the Kelvin sign, for one, lower-cases to a plain k.
  return isHostname ? name.toLowerCase() : undefined;
}

function findPortMark(host: string): number {
  const mark = host.indexOf(":");
  return mark < 0 ? host.length : mark;
}

function isPortPart(text: string): boolean {
  if (text === "") return true;
  const port = text.slice(1);
  return text.startsWith(":") && PORT.test(port) && Number(port) <= MAX_PORT;
}

function isBracketedAddress(name: string): boolean {
  const address = name.slice(1, -1);
  return isIPv6(address) && !address.includes("%");
}

function isDomainName(name: string): boolean {
  return name.length <= MAX_HOSTNAME && name.split(".").every((label) => LABEL.test(label));
}
