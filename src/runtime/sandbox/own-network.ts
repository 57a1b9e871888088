import type { Launch } from "../../process/process.ts";

/** Names of the world outside are given addresses of this range inside; it is nobody's (RFC 2544). */
const OUTSIDE_RANGE = "198.18.0.0/15";

/** Nothing but a loopback, on which everything of the range is ours to listen on too, and any port for anybody. */
const SETTLE = [
  "ip link set lo up",
  `ip route add local ${OUTSIDE_RANGE} dev lo`,
  "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start",
].join(" && ");

/**
 * The same program in a network of its own, with the rest of the machine as it was. Who is not root needs a user namespace
 * for it, and gives up what it may do there as soon as the network stands.
 */
export function enterOwnNetwork(launch: Launch, isRoot: boolean): Launch {
  const namespaces = isRoot ? ["--net"] : ["--user", "--map-current-user", "--keep-caps", "--net"];
  const become = isRoot ? 'exec "$@"' : 'exec setpriv --inh-caps=-all --ambient-caps=-all "$@"';
  return {
    ...launch,
    file: "unshare",
    args: [
      ...namespaces,
      "/bin/sh",
      "-c",
      `${SETTLE} && ${become}`,
      "sh",
      launch.file,
      ...launch.args,
    ],
  };
}
