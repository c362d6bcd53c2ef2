// The operator's own CA, kept up: made where there is none, renewed in time. In: a Secret and a ConfigMap that all operators of a
// gateway share. Out: the certificate of this process's listener. Whoever comes first writes; all others take what was written.
import type { CertificatePair, ServingCertificate } from "../../process/certificate-files.ts";
import type { Clock, Timer } from "../../process/clock.ts";
import type { Log } from "../../process/log.ts";
import { advance, bundleOf, decodeAuthority, encodeAuthority, lifeOf } from "./authority.ts";
import type { Authority } from "./authority.ts";
import { makeCa, makeServing } from "./certificates.ts";

/** Milliseconds between two looks while all is well. */
const LOOK = 60_000;
/** Milliseconds until a look that failed is tried again, at first; doubled up to LOOK. */
const RETRY = 500;
/** Milliseconds between two lines about looks that fail. */
const TELL = 60_000;
/** A certificate is made anew when less than this part of its life is left. */
const LAST_PART = 1 / 2;
/** Of the ConfigMap: when its bundle changed, RFC 3339. */
const CHANGED_AT = "parley.dev/changed-at";
/** Of the ConfigMap's data. */
const BUNDLE_KEY = "ca.crt";

interface Content {
  readonly data: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
/** Read, and written only over what was read: `write` gives false when somebody else was faster. */
interface Document<S extends Content = Content> {
  read(): Promise<S | undefined>;
  write(content: Content, over: S | undefined): Promise<boolean>;
}

export interface KeptAuthority extends ServingCertificate {
  /** Looks now instead of in a minute; resolves when it has looked. Never rejects. */
  look(): Promise<void>;
  close(): void;
}

/** Begins at once and goes on until it is closed; an API server that is away is waited for. */
export function keepAuthority<S extends Content, B extends Content>(deps: {
  readonly gateway: string;
  /** DNS names and IP addresses under which proxies reach this operator. */
  readonly names: readonly string[];
  readonly secret: Document<S>;
  readonly bundle: Document<B>;
  readonly clock: Clock;
  readonly log: Log;
}): KeptAuthority {
  const { gateway, names, secret, bundle, clock, log } = deps;
  const listeners: ((pair: CertificatePair) => void)[] = [];
  let authority: Authority | undefined;
  let serving: (CertificatePair & { readonly by: string }) | undefined;
  let closed = false;
  let timer: Timer | undefined;
  let failures = 0;
  let toldAt = Number.NEGATIVE_INFINITY;

  const make = (): CertificatePair => {
    log.info({ gateway }, "new CA for the stream of the proxies");
    return makeCa(gateway, clock.now());
  };

  /** False: somebody else wrote; what they wrote is to be read. */
  const step = async (): Promise<boolean> => {
    const [stored, shown] = [await secret.read(), await bundle.read()];
    const read = stored === undefined ? authority : decodeAuthority(stored.data);
    if (stored !== undefined && read === undefined) {
      throw new Error(
        "the Secret of the stream's CA holds no pair of certificate and key: delete it to have it made anew",
      );
    }
    const given = shown === undefined ? undefined : bundleOfDocument(shown);
    const now = clock.now();
    const next = advance(read, given, now, make);
    if (stored === undefined || next !== read) {
      if (!(await secret.write({ data: encodeAuthority(next), annotations: {} }, stored))) return false;
    }
    const pem = bundleOf(next);
    if (given?.pem !== pem) {
      const annotations = { [CHANGED_AT]: new Date(now).toISOString() };
      if (!(await bundle.write({ data: { [BUNDLE_KEY]: pem }, annotations }, shown))) return false;
    }
    authority = next;
    return true;
  };

  const serve = (): void => {
    if (authority === undefined) return;
    const now = clock.now();
    const { cert } = authority.current;
    if (serving?.by === cert) {
      const { from, to } = lifeOf(serving.cert);
      if (to - now >= (to - from) * LAST_PART) return;
    }
    serving = { ...makeServing(authority.current, names, now), by: cert };
    for (const listener of listeners) listener(serving);
  };

  const look = async (): Promise<void> => {
    timer?.cancel();
    let wait = LOOK;
    try {
      const settled = await step();
      failures = 0;
      if (!settled) wait = 0;
    } catch (error) {
      wait = Math.min(RETRY * 2 ** failures, LOOK);
      failures += 1;
      if (!closed && clock.elapsed() - toldAt >= TELL) {
        toldAt = clock.elapsed();
        log.warn(
          { cause: error instanceof Error ? error.message : String(error) },
          "CA of the stream cannot be kept up",
        );
      }
    }
    serve();
    // Another look may have been asked for meanwhile.
    timer?.cancel();
    if (!closed) timer = clock.setTimeout(() => void look(), wait);
  };
  void look();

  return {
    get current() {
      return serving;
    },
    onChange: (listener) => void listeners.push(listener),
    look,
    close: () => {
      closed = true;
      timer?.cancel();
    },
  };
}

function bundleOfDocument({ data, annotations }: Content): { readonly pem: string; readonly changedAt: number } {
  const changedAt = Date.parse(annotations[CHANGED_AT] ?? "");
  // Without a date it counts as new, and is given one.
  return { pem: Number.isNaN(changedAt) ? "" : (data[BUNDLE_KEY] ?? ""), changedAt };
}
