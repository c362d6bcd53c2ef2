// The part of undici that reaches operators. In: nothing. Out: its Agent, and how to send a request with one. The package as a whole (fetch,
// caches, web sockets, mocks) would take another 8 MB of each proxy.
import { createRequire } from "node:module";
import type { Agent as UndiciAgent, Dispatcher } from "undici";

const require = createRequire(import.meta.url);

export const Agent = require("undici/lib/dispatcher/agent.js") as typeof UndiciAgent;
const sendWith = require("undici/lib/api/api-request.js") as (
  this: Dispatcher,
  options: Dispatcher.RequestOptions,
) => Promise<Dispatcher.ResponseData>;

/** As `request` of undici, which rejects on I/O and on an abort of the signal. */
export function request(
  { origin, pathname, search }: URL,
  { dispatcher, ...options }: Omit<Dispatcher.RequestOptions, "origin" | "path"> & { readonly dispatcher: Dispatcher },
): Promise<Dispatcher.ResponseData> {
  return sendWith.call(dispatcher, { ...options, origin, path: pathname + search });
}
