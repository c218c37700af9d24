import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TlsFiles } from "../../../src/gateway/http-server.ts";

/** A certificate for 127.0.0.1 that signs itself, and its key; `undefined` where this machine has no openssl. */
export function ownCertificate(): TlsFiles | undefined {
  const folder = mkdtempSync(join(tmpdir(), "omni-certificate-"));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const words = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
  ];
  try {
    execFileSync("openssl", [...words, "-keyout", key, "-out", certificate, "-subj", "/CN=127.0.0.1"], {
      stdio: "ignore",
    });
    return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
