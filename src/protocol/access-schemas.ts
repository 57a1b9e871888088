import { z } from "zod";

export const rightSchema = z.enum(["read", "write", "admin"]);

export const userSchema = z.object({
  name: z.string(),
  isAdmin: z.boolean(),
  createdAt: z.string(),
});
export type UserView = z.infer<typeof userSchema>;

/** Nothing of its text: that is told once, to whoever makes it. */
export const tokenSchema = z.object({
  /** What it is revoked by. */
  id: z.string(),
  user: z.string(),
  label: z.string().nullable(),
  /** null: all. */
  apps: z.array(z.string()).nullable(),
  right: rightSchema,
  /** Times are ISO 8601 UTC. */
  createdAt: z.string(),
  /** null: never. */
  expiresAt: z.string().nullable(),
});
export type TokenView = z.infer<typeof tokenSchema>;

export const callerSchema = z.object({
  /** null: the server's owner, on its own machine, who may do everything. */
  token: tokenSchema.nullable(),
  isAdmin: z.boolean(),
  /** The server's. */
  version: z.string().nullable(),
});

export const auditEntrySchema = z.object({
  time: z.string(),
  /** null: the server's owner, on its own machine. */
  user: z.string().nullable(),
  token: z.string().nullable(),
  address: z.string().nullable(),
  call: z.string(),
  app: z.string().nullable(),
  environment: z.string().nullable(),
  /** A user, a token's id, names of variables; never a value. */
  subject: z.string().nullable(),
  /** `done`, or a problem's code. */
  outcome: z.string(),
});
export type AuditEntryView = z.infer<typeof auditEntrySchema>;
