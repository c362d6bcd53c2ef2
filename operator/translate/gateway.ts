// The settings that proxies need. In: the administrator's settings. Out: the one gateway row.
import type { GatewayRow } from "../../proxy/table/contract.ts";
import type { TranslateSettings } from "./settings.ts";

export function translateGateway(settings: TranslateSettings): GatewayRow {
  return {
    name: settings.gatewayName,
    ...(settings.publicUrl === undefined ? {} : { publicUrl: settings.publicUrl }),
    trustedProxies: settings.trustedProxies,
    allowedUpstreams: settings.allowedUpstreams,
  };
}
