"use strict";

/**
 * Loaded with `node --require` into a program whose code names its port. RAMET_OWN_PORT=3000:24001 makes it
 * listen on 24001 where it asks for 3000; all else that it listens on stays. It may be any Node from 16 on.
 */

const { Server } = require("node:net");

/** @type {unknown} */
const told = process.env.RAMET_OWN_PORT;
/** @type {unknown} */
const original = Reflect.get(Server.prototype, "listen");
const [from = 0, to = 0] = String(told).split(":").map(Number);

if (from > 0 && to > 0 && typeof original === "function") {
  Server.prototype.listen = new Proxy(original, { apply: listenElsewhere });
}

/**
 * @param {(this: unknown, ...args: unknown[]) => unknown} listen
 * @param {unknown} server
 * @param {unknown[]} args
 */
function listenElsewhere(listen, server, args) {
  return listen.apply(server, args.length === 0 ? args : [move(args[0]), ...args.slice(1)]);
}

/**
 * The first argument is a port, as a number or a text, an object that may hold one, a path or a handle.
 * @param {unknown} target
 * @returns {unknown}
 */
function move(target) {
  if (isOwn(target)) return to;
  if (typeof target !== "object" || target === null || !isOwn(target.port)) return target;
  // Not a copy: what a getter or a prototype gives must stay readable.
  /** @type {unknown} */
  const moved = Object.create(target, { port: { value: to, enumerable: true } });
  return moved;
}

/** @param {unknown} port */
function isOwn(port) {
  return (typeof port === "number" || typeof port === "string") && Number(port) === from;
}
