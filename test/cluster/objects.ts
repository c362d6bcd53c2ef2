// What users of the gateway apply, and what tests run beside it: an agent in two pods, its A2AAgent, a key, a load client.
import { randomBytes } from "node:crypto";
import { IMAGES } from "./images.ts";

const security = {
  pod: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
  container: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
};

/** Milliseconds between two words of the example agent's streams. */
export const PACE_MS = 500;

/** A container of the workload image. */
function container(name: string, args: readonly string[], more: object = {}): object {
  return { name, image: IMAGES.workload, args, securityContext: security.container, ...more };
}

/** The example agent: a Deployment of two pods that drains, and its Service. */
export function agentWorkload(namespace: string, name: string): readonly object[] {
  const labels = { app: name };
  const port = 8080;
  const args = ["examples/agent/main.ts", "--host=0.0.0.0", `--port=${port}`, `--name=${name}`, "--copy=$(POD)"];
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: {
          metadata: { labels },
          spec: {
            securityContext: security.pod,
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 40,
            containers: [
              container("agent", [...args, `--pace=${PACE_MS}`, "--drain=30"], {
                env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
                ports: [{ name: "http", containerPort: port }],
                // Patient: with the load's streams all begun at once, a busy machine is slow to answer.
                readinessProbe: {
                  httpGet: { path: "/.well-known/agent-card.json", port: "http" },
                  periodSeconds: 1,
                  timeoutSeconds: 5,
                  failureThreshold: 5,
                },
                // The gateway hears first that the pod goes, then the agent.
                lifecycle: { preStop: { sleep: { seconds: 3 } } },
              }),
            ],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { selector: labels, ports: [{ name: "http", port: 80, targetPort: "http" }] },
    },
  ];
}

/** The A2AAgent in front of a Service. */
export function a2aAgent(namespace: string, name: string, gatewayName: string): object {
  return {
    apiVersion: "parley.dev/v1alpha1",
    kind: "A2AAgent",
    metadata: { name, namespace },
    spec: { gatewayName, backends: [{ name: "service", service: { name, port: "http" } }] },
  };
}

/** A VirtualKey for an agent of its namespace, and the Secret with the token. */
export function virtualKey(
  namespace: string,
  name: string,
  gatewayName: string,
  agent: string,
): { readonly token: string; readonly objects: readonly object[] } {
  const token = `sk-${randomBytes(24).toString("hex")}`;
  const labels = { "parley.dev/credential": "key" };
  return {
    token,
    objects: [
      { apiVersion: "v1", kind: "Secret", metadata: { name, namespace, labels }, stringData: { token } },
      {
        apiVersion: "parley.dev/v1alpha1",
        kind: "VirtualKey",
        metadata: { name, namespace },
        spec: { gatewayName, secretRef: { name, key: "token" }, agents: [{ name: agent }] },
      },
    ],
  };
}

/** A pod that runs one program of an image to its end. */
export function programPod(
  namespace: string,
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  image: string = IMAGES.workload,
): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: security.pod,
      containers: [
        container("main", args, {
          image,
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
        }),
      ],
    },
  };
}
