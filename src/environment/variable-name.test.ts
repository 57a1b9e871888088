import fc from "fast-check";
import { expect, test } from "vitest";

import { findVariableNameFault, isReservedVariable } from "./variable-name.ts";

test.each(["A", "_", "_x9", "PORTS", "MY_PORT", "port", "Ramet_x", "X".repeat(256)])(
  "%s names a variable",
  (name) => {
    expect(findVariableNameFault(name)).toBeUndefined();
    expect(isReservedVariable(name)).toBe(false);
  },
);

test.each(["", "1A", "A-B", "A B", "A=B", "A\n", "\nA", "Ä", "A\0", "$A", "X".repeat(257)])(
  "%j names none",
  (name) => {
    expect(findVariableNameFault(name)).toBe("invalid");
  },
);

test.each(["PORT", "HOST", "URL", "DATABASE_URL", "RAMET_URL", "RAMET_", "__proto__"])(
  "%s is Ramet's own",
  (name) => {
    expect(findVariableNameFault(name)).toBe("reserved");
    expect(isReservedVariable(name)).toBe(true);
  },
);

test("what passes is a name that every shell takes", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 10 }), (name) => {
      const isShellName = /^[A-Za-z_]\w*$/.test(name) && !name.endsWith("\n");
      expect(findVariableNameFault(name) !== "invalid").toBe(isShellName);
    }),
  );
});
