// The security members of a card. In: which versions the card speaks to. Out: the gateway's bearer key in their spellings,
// in place of what the agent asks of the gateway (A2A 1.0 section 4.5, 0.3.0 section 5.5.3).

/** Clients look credentials up by this name, so it stays. */
const SCHEME_NAME = "parleyKey";
const DESCRIPTION = "A virtual key of the gateway.";

/** `securitySchemes`, and `security` (0.3) or `securityRequirements` (1.0) or both; undefined ones are to be left out. */
export function securityMembers(card: {
  readonly legacy: boolean;
  readonly current: boolean;
  /** A 0.3 card is in its protobuf form. */
  readonly proto: boolean;
}): Readonly<Record<string, unknown>> {
  const inProto = card.legacy && !card.current && card.proto;
  const scheme = {
    ...(card.legacy && !inProto ? { type: "http", scheme: "bearer", description: DESCRIPTION } : {}),
    ...(card.current || inProto ? { httpAuthSecurityScheme: { scheme: "Bearer", description: DESCRIPTION } } : {}),
  };
  const requirement = { schemes: { [SCHEME_NAME]: { list: [] } } };
  return {
    securitySchemes: { [SCHEME_NAME]: scheme },
    security: card.legacy ? [inProto ? requirement : { [SCHEME_NAME]: [] }] : undefined,
    securityRequirements: card.current ? [requirement] : undefined,
  };
}
