// Who may have the stream, and with which certificate it is served. In: the configuration, a way to the API server. Out: what the
// listener of the proxies asks of them and shows them.
import { watchCertificateFiles } from "../process/certificate-files.ts";
import type { ServingCertificate } from "../process/certificate-files.ts";
import type { Clock } from "../process/clock.ts";
import type { Log } from "../process/log.ts";
import type { OperatorConfig } from "./config.ts";
import type { KubeClient } from "./kube/client.ts";
import { createDocument } from "./kube/document.ts";
import { followKeys, reviewToken } from "./kube/review-token.ts";
import { createAuthenticate } from "./publish/authenticate.ts";
import type { RefusalReason } from "./publish/authenticate.ts";
import type { KeySet } from "./publish/json-web-token.ts";
import { keepAuthority } from "./publish/keep-authority.ts";
import { authenticateAnyone } from "./publish/stream-server.ts";
import type { Authenticate } from "./publish/stream-server.ts";

export interface StreamSecurity {
  readonly authenticate: Authenticate;
  /** Undefined: plain HTTP. */
  readonly certificate: ServingCertificate | undefined;
  close(): Promise<void>;
}

export interface StreamSecurityDeps {
  readonly config: Pick<
    OperatorConfig,
    | "gatewayName"
    | "leaseNamespace"
    | "tls"
    | "tlsNames"
    | "tlsCaName"
    | "tlsCert"
    | "tlsKey"
    | "proxyServiceAccount"
    | "tokenAudience"
  >;
  readonly client: Pick<KubeClient, "request">;
  readonly clock: Clock;
  readonly log: Log;
  readonly refused: (reason: RefusalReason) => void;
}

/** Begins to read the API server, or the files, at once. */
export async function secureStream(deps: StreamSecurityDeps): Promise<StreamSecurity> {
  const { config, clock, log } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  const certificate = await certificateOf(deps, signal);
  const { proxyServiceAccount: serviceAccount, tokenAudience: audience } = config;
  const close = (following?: Promise<void>) => async (): Promise<void> => {
    stopping.abort();
    certificate?.close();
    await following;
  };
  if (serviceAccount === undefined) return { authenticate: authenticateAnyone, certificate, close: close() };

  let keys: KeySet | undefined;
  const following = followKeys({
    client: deps.client,
    clock,
    signal,
    onKeys: (read) => {
      keys = read;
    },
  });
  const authenticate = createAuthenticate({
    audience,
    serviceAccount,
    review: (token) => reviewToken(deps.client, token, audience, signal),
    keys: () => keys,
    clock,
    log,
    refused: deps.refused,
  });
  return { authenticate, certificate, close: close(following) };
}

async function certificateOf(
  { config, client, clock, log }: StreamSecurityDeps,
  signal: AbortSignal,
): Promise<(ServingCertificate & { close(): void }) | undefined> {
  const { gatewayName: gateway, tlsCert, tlsKey } = config;
  switch (config.tls) {
    case "off":
      return undefined;
    case "files":
      if (tlsCert === undefined || tlsKey === undefined) throw new TypeError("--tls=files without files");
      return watchCertificateFiles({ certFile: tlsCert, keyFile: tlsKey, clock, log });
    case "auto": {
      const document = (kind: "Secret" | "ConfigMap") =>
        createDocument({
          client,
          kind,
          namespace: config.leaseNamespace,
          name: config.tlsCaName,
          labels: { "app.kubernetes.io/managed-by": "parley-operator", "parley.dev/gateway": gateway },
          signal,
        });
      return keepAuthority({
        gateway,
        names: config.tlsNames,
        secret: document("Secret"),
        bundle: document("ConfigMap"),
        clock,
        log,
      });
    }
  }
}
