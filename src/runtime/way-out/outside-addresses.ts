import { isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** Whether an address may be dialled for those inside: nothing of this machine, and nothing that only its own link knows. */
export function isOutside(address: string): boolean {
  const plain = address.toLowerCase().split("%")[0] ?? "";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped !== undefined) return isOutside(mapped);
  if (isIP(plain) === 0 || listOwn().has(plain)) return false;
  return isIPv6(plain) ? !INSIDE_V6.test(plain) : !isInsideV4(plain);
}

/** Unspecified and loopback, mapped or compatible ones in another spelling, link-local, multicast. */
const INSIDE_V6 = /^(?:::|fe[89ab]|ff|0{1,4}:)/;

/** This network, loopback, link-local with the clouds' metadata, the range that we give out ourselves, multicast and beyond. */
function isInsideV4(address: string): boolean {
  const [first = 0, second = 0] = address.split(".").map(Number);
  if (first === 0 || first === 127 || first >= 224) return true;
  return (first === 169 && second === 254) || (first === 198 && (second === 18 || second === 19));
}

function listOwn(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return new Set(all.map(({ address }) => address.toLowerCase()));
}
