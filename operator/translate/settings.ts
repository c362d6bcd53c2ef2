// What the administrator says, as far as translation reads it. In: options. Out: a type; nothing here changes while the process runs.

/** Undefined: no ceiling. An agent that says nothing gets its default, or the ceiling where that is lower. */
export interface Ceilings {
  readonly maxRequestBytes?: number | undefined;
  /** From least to most: None, Metadata, Full. */
  readonly loggingContent?: "None" | "Metadata" | "Full" | undefined;
  /** Milliseconds; 0, no limit, is more than any. */
  readonly firstByte?: number | undefined;
  readonly streamIdle?: number | undefined;
}

export interface TranslateSettings {
  /** Which Parley installation this is. */
  readonly gatewayName: string;
  /** Scheme, authority and path prefix under which clients reach the gateway; no trailing slash. */
  readonly publicUrl?: string | undefined;
  /** CIDRs whose forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
  /** CIDRs that `url` backends may reach although they are loopback, link-local or private. */
  readonly allowedUpstreams: readonly string[];
  /** Tokens that may be short, as in a quickstart: their keys are honoured on loopback only. */
  readonly exemptTokens: readonly string[];
  /** Whether Namespaces can be read, which `allowedKeys.namespaces.from: Selector` needs. */
  readonly selectors: boolean;
  /** What agents may ask for at most. */
  readonly ceilings?: Ceilings;
  /** No Namespace is known here although there may be some: nothing is complained of that hangs on their labels. */
  readonly labelsUnknown?: boolean;
}
