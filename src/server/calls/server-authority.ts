import { X509Certificate } from "node:crypto";

import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const serverAuthority = defineCall(
  CALLS["server.authority"],
  async (_, { certificates }) => {
    const { certificate } = await certificates.requireAuthority();
    const { subject, fingerprint256, validTo } = new X509Certificate(certificate);
    return {
      name: subject.replace(/^CN=/, ""),
      file: certificates.certificateFile,
      certificate,
      fingerprint: fingerprint256,
      expiresAt: new Date(validTo).toISOString(),
    };
  },
);
