// X.509 for the stream. In: moments, names, the CA's pair. Out: a CA and certificates that it signs, as PEM. Keys are P-256.
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";
import type { CertificatePair } from "../../process/certificate-files.ts";

/** Clocks of other machines may be behind by this; milliseconds. */
const BACKDATE = 5 * 60_000;
const CA_LIFE = 365 * 86_400_000;
const SERVING_LIFE = 86_400_000;
/** ecdsa-with-SHA256, RFC 5758 section 3.2. */
const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";

/** A CA that signs itself, valid for a year. `now`: milliseconds since the epoch. */
export function makeCa(gateway: string, now: number): CertificatePair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  // The moment is in the name, so that two CAs of a gateway are told apart where a certificate names its issuer.
  const name = nameOf(`Parley ${gateway} stream CA ${new Date(now).toISOString()}`);
  return pairOf(privateKey, {
    issuer: name,
    subject: name,
    signer: privateKey,
    publicKey,
    from: now - BACKDATE,
    to: now + CA_LIFE,
    extensions: [
      extension(x509.id_ce_basicConstraints, true, new x509.BasicConstraints({ cA: true, pathLenConstraint: 0 })),
      extension(x509.id_ce_keyUsage, true, new x509.KeyUsage(x509.KeyUsageFlags.keyCertSign)),
      extension(x509.id_ce_subjectKeyIdentifier, false, new x509.SubjectKeyIdentifier(keyIdOf(publicKey))),
    ],
  });
}

/** A server's certificate for DNS names and IP addresses: valid for a day, and never longer than its CA. */
export function makeServing(ca: CertificatePair, names: readonly string[], now: number): CertificatePair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = createPrivateKey(ca.key);
  const issuer = AsnConvert.parse(derOf(ca.cert), x509.Certificate).tbsCertificate;
  const issuerKey = createPublicKey(signer);
  const general = names.map((name) => new x509.GeneralName(isIP(name) === 0 ? { dNSName: name } : { iPAddress: name }));
  return pairOf(privateKey, {
    issuer: issuer.subject,
    subject: nameOf("parley-operator"),
    signer,
    publicKey,
    from: now - BACKDATE,
    to: Math.min(now + SERVING_LIFE, issuer.validity.notAfter.getTime().getTime()),
    extensions: [
      extension(x509.id_ce_basicConstraints, true, new x509.BasicConstraints({ cA: false })),
      extension(x509.id_ce_keyUsage, true, new x509.KeyUsage(x509.KeyUsageFlags.digitalSignature)),
      extension(x509.id_ce_extKeyUsage, false, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth])),
      extension(x509.id_ce_subjectAltName, false, new x509.SubjectAlternativeName(general)),
      extension(
        x509.id_ce_authorityKeyIdentifier,
        false,
        new x509.AuthorityKeyIdentifier({ keyIdentifier: new x509.SubjectKeyIdentifier(keyIdOf(issuerKey)) }),
      ),
    ],
  });
}

function pairOf(
  privateKey: KeyObject,
  what: {
    readonly issuer: x509.Name;
    readonly subject: x509.Name;
    readonly signer: KeyObject;
    readonly publicKey: KeyObject;
    readonly from: number;
    readonly to: number;
    readonly extensions: readonly x509.Extension[];
  },
): CertificatePair {
  const algorithm = new x509.AlgorithmIdentifier({ algorithm: ECDSA_SHA256 });
  const spki = what.publicKey.export({ type: "spki", format: "der" });
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: serial(),
    signature: algorithm,
    issuer: what.issuer,
    subject: what.subject,
    validity: new x509.Validity({ notBefore: new Date(what.from), notAfter: new Date(what.to) }),
    subjectPublicKeyInfo: AsnConvert.parse(spki, x509.SubjectPublicKeyInfo),
    extensions: new x509.Extensions([...what.extensions]),
  });
  const signed = Buffer.from(AsnConvert.serialize(tbsCertificate));
  const certificate = new x509.Certificate({
    tbsCertificate,
    signatureAlgorithm: algorithm,
    signatureValue: bytesOf(sign("sha256", signed, what.signer)),
  });
  return {
    cert: pemOf(Buffer.from(AsnConvert.serialize(certificate))),
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

/** 127 random bits: a positive integer, RFC 5280 section 4.1.2.2. */
function serial(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f || 1;
  return bytesOf(bytes);
}

function nameOf(common: string): x509.Name {
  const value = new x509.AttributeValue({ utf8String: common });
  const attribute = new x509.AttributeTypeAndValue({ type: COMMON_NAME, value });
  return new x509.Name([new x509.RelativeDistinguishedName([attribute])]);
}

function extension(extnID: string, critical: boolean, value: object): x509.Extension {
  return new x509.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** What tells keys apart: RFC 7093 section 2, method 1. */
function keyIdOf(key: KeyObject): ArrayBuffer {
  return bytesOf(hash("sha256", key.export({ type: "spki", format: "der" }), "buffer").subarray(0, 20));
}

function bytesOf(buffer: Uint8Array): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
}

function pemOf(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
