{{- define "parley.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "parley.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "parley.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "parley.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "parley.operator" -}}{{ include "parley.fullname" . }}-operator{{- end -}}
{{- define "parley.proxy" -}}{{ include "parley.fullname" . }}-proxy{{- end -}}

{{/* Of objects without a namespace: unique among installations. */}}
{{- define "parley.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "parley.fullname" .) -}}
{{- end -}}

{{- define "parley.operatorServiceAccount" -}}
{{- default (include "parley.operator" .) .Values.operator.serviceAccount.name -}}
{{- end -}}
{{- define "parley.proxyServiceAccount" -}}
{{- default (include "parley.proxy" .) .Values.proxy.serviceAccount.name -}}
{{- end -}}

{{/* The Secret of the CA and the ConfigMap of its bundle, which operators make. */}}
{{- define "parley.caName" -}}{{ include "parley.operator" . }}-ca{{- end -}}

{{- define "parley.streamSecret" -}}
{{- if .Values.stream.tls.certificate.create -}}
{{- default (printf "%s-tls" (include "parley.operator" .)) .Values.stream.tls.secretName -}}
{{- else -}}
{{- required "stream.tls.mode is files: stream.tls.secretName must name the Secret, or stream.tls.certificate.create make it" .Values.stream.tls.secretName -}}
{{- end -}}
{{- end -}}

{{/* What proxies find operators under, and their certificates hold. */}}
{{- define "parley.operatorHost" -}}
{{ include "parley.operator" . }}.{{ .Release.Namespace }}.svc
{{- end -}}
{{- define "parley.operatorNames" -}}
{{- $host := include "parley.operatorHost" . -}}
{{- join "," (list $host (printf "%s.cluster.local" $host) (printf "%s.%s" (include "parley.operator" .) .Release.Namespace) (include "parley.operator" .) "localhost" "127.0.0.1" "::1") -}}
{{- end -}}

{{- define "parley.selector" -}}
app.kubernetes.io/name: {{ include "parley.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "parley.labels" -}}
{{ include "parley.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: parley
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "parley.image" -}}
{{- $repository := .image.repository -}}
{{- if .root.Values.image.registry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .root.Values.image.registry) .image.repository -}}
{{- end -}}
{{ printf "%s:%s" $repository (default .root.Chart.AppVersion .root.Values.image.tag) }}
{{- end -}}

{{/* Whether tokens are reviewed by the API server. */}}
{{- define "parley.tokenReview" -}}
{{- if kindIs "bool" .Values.rbac.tokenReview -}}
{{- if .Values.rbac.tokenReview -}}true{{- end -}}
{{- else if not .Values.namespaces -}}true{{- end -}}
{{- end -}}

{{/* What proxies speak with clients. */}}
{{- define "parley.scheme" -}}
{{- if .Values.proxy.tls.secretName -}}https{{- else -}}http{{- end -}}
{{- end -}}
