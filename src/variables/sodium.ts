import type sodiumType from "libsodium-wrappers";

type Sodium = typeof sodiumType;

/** Compiles half a megabyte of WebAssembly: only when something is sealed or opened. */
export async function loadSodium(): Promise<Sodium> {
  const { default: sodium } = await import("libsodium-wrappers");
  await sodium.ready;
  return sodium;
}
