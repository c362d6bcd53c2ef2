// The CA of the stream through its life. In: what is stored, the bundle that proxies were given, the time. Out: what is to be stored.
// A new CA stands in the bundle for an hour before it signs, so that every proxy knows it by then; an old one stands there until it
// expires, so that what it signed stays good.
import { X509Certificate, createPrivateKey } from "node:crypto";
import type { CertificatePair } from "../../process/certificate-files.ts";

export interface Authority {
  /** Signs. */
  readonly current: CertificatePair;
  /** Will sign. */
  readonly next?: CertificatePair;
  /** Signed before: PEM, its key is gone. */
  readonly previous?: string;
}

export interface Bundle {
  /** Certificates, PEM. */
  readonly pem: string;
  /** Milliseconds since the epoch. */
  readonly changedAt: number;
}

/** Milliseconds that a bundle is out before what is new in it signs. Kubelets take about two minutes to bring it to a pod. */
export const SPREAD = 60 * 60_000;
/** A successor is made when less than this part of a CA's life is left. */
const LAST_PART = 1 / 3;

/** The certificates that proxies are to trust, newest use first. */
export function bundleOf({ current, next, previous }: Authority): string {
  return [current.cert, next?.cert, previous].filter((cert) => cert !== undefined).join("");
}

/**
 * One step, if one is due; else gives back what it got.
 *
 * @param now milliseconds since the epoch
 * @param make makes a CA
 */
export function advance(
  stored: Authority | undefined,
  bundle: Bundle | undefined,
  now: number,
  make: () => CertificatePair,
): Authority {
  if (stored === undefined) return { current: make() };
  const { current, next, previous } = stored;
  const life = lifeOf(current.cert);
  // Nobody trusts it any more: there is nothing to wait for.
  if (life.to <= now) return { current: next !== undefined && lifeOf(next.cert).to > now ? next : make() };
  if (previous !== undefined && lifeOf(previous).to <= now) return next === undefined ? { current } : { current, next };
  if (next === undefined) {
    return life.to - now < (life.to - life.from) * LAST_PART ? { ...stored, next: make() } : stored;
  }
  const isSpread = bundle?.pem === bundleOf(stored) && now - bundle.changedAt >= SPREAD;
  return isSpread ? { current: next, previous: current.cert } : stored;
}

/** As a Secret's data, decoded. */
export function encodeAuthority({ current, next, previous }: Authority): Record<string, string> {
  return {
    "current.crt": current.cert,
    "current.key": current.key,
    ...(next === undefined ? {} : { "next.crt": next.cert, "next.key": next.key }),
    ...(previous === undefined ? {} : { "previous.crt": previous }),
  };
}

/** Undefined: it is none. */
export function decodeAuthority(data: Readonly<Record<string, string>>): Authority | undefined {
  const pair = (name: string): CertificatePair | undefined => {
    const { [`${name}.crt`]: cert, [`${name}.key`]: key } = data;
    return cert !== undefined && key !== undefined && belong(cert, key) ? { cert, key } : undefined;
  };
  const current = pair("current");
  const next = pair("next");
  const previous = data["previous.crt"];
  if (current === undefined || (data["next.crt"] !== undefined && next === undefined)) return undefined;
  if (previous !== undefined && !isCertificate(previous)) return undefined;
  return {
    current,
    ...(next === undefined ? {} : { next }),
    ...(previous === undefined ? {} : { previous }),
  };
}

/** From when to when a certificate is valid, milliseconds since the epoch. Throws on what is none. */
export function lifeOf(pem: string): { readonly from: number; readonly to: number } {
  const { validFromDate, validToDate } = new X509Certificate(pem);
  return { from: validFromDate.getTime(), to: validToDate.getTime() };
}

/** What signs is a P-256 key, as those that are made here: with another the certificates would be none. */
function belong(cert: string, key: string): boolean {
  try {
    const signer = createPrivateKey(key);
    return (
      signer.asymmetricKeyDetails?.namedCurve === "prime256v1" && new X509Certificate(cert).checkPrivateKey(signer)
    );
  } catch {
    return false;
  }
}

function isCertificate(pem: string): boolean {
  try {
    lifeOf(pem);
    return true;
  } catch {
    return false;
  }
}
