import { X509Certificate } from "node:crypto";

/** For whoever keeps the server: what others compare it by, and until when they believe it. */
export function describeCertificate(certificate: string, nowMs: number): string {
  const { fingerprint256, validToDate } = new X509Certificate(certificate);
  const day = validToDate.toISOString().slice(0, 10);
  const until =
    validToDate.getTime() > nowMs ? `good until ${day}` : `expired on ${day}: nobody believes it`;
  return `certificate SHA-256 ${fingerprint256}, ${until}`;
}
