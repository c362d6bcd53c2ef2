// A certificate and its key from files that are replaced while the process runs (a mounted Secret). In: paths. Out: the pair that is to
// be served with, and each one that comes after. What cannot be used is said, and the last good pair stays.
import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Clock, Timer } from "./clock.ts";
import type { Log } from "./log.ts";

/** Milliseconds between two looks. Kubelets bring a changed Secret within about two minutes. */
const LOOK = 10_000;

/** PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** What a listener serves TLS with, which changes while the process runs. */
export interface ServingCertificate {
  /** Undefined: there is none yet, and no connection succeeds. */
  readonly current: CertificatePair | undefined;
  /** Called with each pair that comes after. */
  onChange(listener: (pair: CertificatePair) => void): void;
}

export interface CertificateFiles extends ServingCertificate {
  /** Looks now; resolves when it has looked. Never rejects. */
  look(): Promise<void>;
  close(): void;
}

/** Resolves after the first look; a fault then is logged, and looked at again. */
export async function watchCertificateFiles(deps: {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<CertificateFiles> {
  const { certFile, keyFile, clock, log } = deps;
  const listeners: ((pair: CertificatePair) => void)[] = [];
  let current: CertificatePair | undefined;
  let told: string | undefined;
  let closed = false;
  let timer: Timer | undefined;

  const look = async (): Promise<void> => {
    timer?.cancel();
    const read = await readPair(certFile, keyFile);
    if (read.ok) {
      const { cert, key } = read.pair;
      told = undefined;
      if (cert !== current?.cert || key !== current.key) {
        current = read.pair;
        log.info({ file: certFile, until: new X509Certificate(cert).validTo }, "certificate is served");
        for (const listener of listeners) listener(read.pair);
      }
    } else if (read.fault !== told) {
      told = read.fault;
      log.error({ cause: read.fault, serving: current !== undefined }, "certificate cannot be used");
    }
    timer?.cancel();
    if (!closed) timer = clock.setTimeout(() => void look(), LOOK);
  };
  await look();

  return {
    get current() {
      return current;
    },
    onChange: (listener) => void listeners.push(listener),
    look,
    close: () => {
      closed = true;
      timer?.cancel();
    },
  };
}

async function readPair(
  certFile: string,
  keyFile: string,
): Promise<{ readonly ok: true; readonly pair: CertificatePair } | { readonly ok: false; readonly fault: string }> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, "utf8"), readFile(keyFile, "utf8")]);
    if (!isPair(cert, key)) {
      return { ok: false, fault: `${certFile} and ${keyFile} do not belong together, are no PEM, or too weak for TLS` };
    }
    return { ok: true, pair: { cert, key } };
  } catch (error) {
    return { ok: false, fault: error instanceof Error ? error.message : String(error) };
  }
}

/** What is wrong with a key is not told: it could quote it. */
function isPair(cert: string, key: string): boolean {
  try {
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return false;
    // A server that is given what OpenSSL does not take, as a broken chain or a short key, would throw. Loaded when TLS is served.
    process.getBuiltinModule("node:tls").createSecureContext({ cert, key, minVersion: "TLSv1.2" });
    return true;
  } catch {
    return false;
  }
}
