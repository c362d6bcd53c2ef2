{{/* What operators do with objects of the namespaces that they serve, each line for a piece of code that does it. */}}
{{- define "parley.objectRules" -}}
- apiGroups: [parley.dev]
  resources: [a2aagents, virtualkeys]
  verbs: [list, watch]
- apiGroups: [parley.dev]
  resources: [a2aagents/status, virtualkeys/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
# Lists and watches ask for labelled Secrets only. get tells a missing one from one without the label; create and patch are for the
# tokens of VirtualKeys that name no Secret.
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch, get, create, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* What all operators of this installation share, in its own namespace. */}}
{{- define "parley.ownRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "parley.operator" . }}]
  verbs: [get, update]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
{{- if eq .Values.stream.tls.mode "auto" }}
- apiGroups: [""]
  resources: [secrets, configmaps]
  verbs: [create]
- apiGroups: [""]
  resources: [secrets, configmaps]
  resourceNames: [{{ include "parley.caName" . }}]
  verbs: [get, patch]
{{- end }}
{{- end -}}

{{- define "parley.operatorSubject" -}}
- kind: ServiceAccount
  name: {{ include "parley.operatorServiceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
