import { createHmac } from "node:crypto";

import { expect, test } from "vitest";

import { createPasswords, createVerifier } from "./roles.ts";

test("a verifier proves the password as in the example of RFC 7677", async () => {
  const salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
  const verifier = await createVerifier("pencil", Buffer.from(salt, "base64"));
  expect(verifier.startsWith(`SCRAM-SHA-256$4096:${salt}$`)).toBe(true);
  const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const exchange = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;
  const serverKey = Buffer.from(verifier.split(":").at(-1) ?? "", "base64");
  const signature = createHmac("sha256", serverKey).update(exchange).digest("base64");
  expect(signature).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
});

test("passwords differ from each other and stand in a URL as they are", () => {
  const { appPassword, adminPassword } = createPasswords();
  expect(appPassword).not.toBe(adminPassword);
  expect(encodeURIComponent(appPassword)).toBe(appPassword);
  expect(appPassword.length).toBeGreaterThanOrEqual(32);
});
