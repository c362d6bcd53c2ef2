// Good objects that hold every field of the two kinds, to be changed field by field.

export const AGENT = {
  apiVersion: "parley.dev/v1alpha1",
  kind: "A2AAgent",
  metadata: { name: "travel", labels: { domain: "booking" } },
  spec: {
    gatewayName: "default",
    backends: [
      { name: "stable", service: { name: "travel", port: "http", scheme: "http", path: "/" }, weight: 90 },
      { name: "canary", url: "https://travel.example.com:8443/a2a", weight: 10 },
      { name: "numbered", service: { name: "travel", port: 8080 } },
    ],
    publicName: "travel",
    allowedKeys: {
      namespaces: {
        from: "Selector",
        selector: {
          matchLabels: { team: "booking", "example.com/tier": "" },
          matchExpressions: [
            { key: "stage", operator: "In", values: ["prod", "test"] },
            { key: "example.com/frozen", operator: "DoesNotExist" },
          ],
        },
      },
    },
    card: { path: "/.well-known/agent-card.json", visibility: "Public" },
    loadBalancing: { policy: "LeastRequest" },
    timeouts: { connect: "2s", firstByte: "600s", streamIdle: "0s" },
    limits: { maxRequestBytes: "10Mi" },
    credentials: [
      { header: "authorization", scheme: "Bearer", secretRef: { name: "travel-upstream", key: "token" } },
      { header: "x-api-key", secretRef: { name: "travel.upstream", key: "Key_1.txt" } },
    ],
    pricing: {
      perRequest: "0.002",
      perSecond: "0.0001",
      usage: [
        { unit: "inputTokens", price: "0.00000125" },
        { unit: "pages", price: "0.01", paths: ["$.metadata['https://example.com/usage'].pages", "$.pages[0]"] },
      ],
    },
    logging: { content: "Metadata", maxBytes: "16Ki", redact: ["$..metadata.ssn", "$.params.message.parts[*].data"] },
  },
};

export const KEY = {
  apiVersion: "parley.dev/v1alpha1",
  kind: "VirtualKey",
  metadata: { name: "alice" },
  spec: {
    gatewayName: "default",
    secretRef: { name: "alice-key", key: "token" },
    owner: { user: "alice@example.com", team: "Booking & Travel" },
    agents: [
      { name: "travel" },
      { namespace: "shared", name: "search" },
      {
        selector: {
          matchLabels: { domain: "booking" },
          matchExpressions: [
            { key: "stage", operator: "NotIn", values: ["test"] },
            { key: "domain", operator: "Exists" },
          ],
        },
      },
    ],
    operations: ["SendMessage", "GetTask"],
    expiresAt: "2027-01-01T00:00:00Z",
    disabled: false,
  },
};

const CONDITION = {
  type: "Ready",
  status: "True",
  observedGeneration: 3,
  lastTransitionTime: "2026-11-22T10:00:00Z",
  reason: "Programmed",
  message: "Every proxy serves generation 3.",
};

export const AGENT_STATUS = {
  observedGeneration: 3,
  conditions: [CONDITION, { ...CONDITION, type: "Accepted" }],
  url: "https://gateway.example.com/a2a/travel",
  versions: "0.3,1.0",
  backends: [
    {
      name: "stable",
      interfaces: [
        { binding: "JSONRPC", version: "1.0", path: "/" },
        { binding: "HTTP+JSON", version: "0.3", path: "/v1" },
      ],
      versions: ["0.3", "1.0"],
      cardName: "Travel",
      cardVersion: "1.2.3",
      signed: false,
      etag: 'W/"abc"',
    },
  ],
  readyEndpoints: 3,
  knownEndpoints: 4,
};

export const KEY_STATUS = {
  observedGeneration: 3,
  conditions: [CONDITION],
  fingerprint: "3f9a1c02",
  expiresAt: "2027-01-01T00:00:00Z",
};

export const SECRET = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "travel-upstream", labels: { "parley.dev/credential": "upstream" } },
  type: "Opaque",
  immutable: false,
  data: { token: "c2VjcmV0" },
  stringData: { "other.token": "secret" },
};
