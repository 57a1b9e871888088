import type { Mount } from "./sandbox.ts";

export type SettingsFacts = {
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  readonly home: string;
  /** Names that mean the sandbox itself. */
  readonly names: readonly string[];
};

const NOBODY = 65_534;
/** The machine's own may ask services that are not there inside. */
const NAME_SERVICES = [
  "passwd: files",
  "group: files",
  "hosts: files dns",
  "networks: files",
  "services: files",
  "protocols: files",
];

/** Of the files below /etc by which a machine is told apart, those that are our own. */
export function planSettings({ user, home, names }: SettingsFacts): readonly Mount[] {
  const { uid, gid, name } = user;
  const here = ["localhost", ...names].join(" ");
  return [
    toText("passwd", [
      `${name}:x:${uid}:${gid}::${home}:/bin/sh`,
      `nobody:x:${NOBODY}:${NOBODY}::/:/bin/false`,
    ]),
    toText("group", [`${name}:x:${gid}:`, `nogroup:x:${NOBODY}:`]),
    toText("hosts", [`127.0.0.1 ${here}`, `::1 ${here}`]),
    toText("resolv.conf", ["nameserver 127.0.0.1", "options timeout:5 attempts:2"]),
    toText("nsswitch.conf", NAME_SERVICES),
  ];
}

function toText(name: string, lines: readonly string[]): Mount {
  return { kind: "text", text: `${lines.join("\n")}\n`, to: `/etc/${name}` };
}
